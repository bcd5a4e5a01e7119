package compose

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"steward/internal/config"
)

type service struct {
	Image       string
	Build       string
	User        string
	ReadOnly    bool     `yaml:"read_only"`
	CapDrop     []string `yaml:"cap_drop"`
	SecurityOpt []string `yaml:"security_opt"`
	Privileged  bool
	Ports       []string
	Networks    []string
	Volumes     []string
	Environment map[string]string
	DependsOn   map[string]struct{ Condition string } `yaml:"depends_on"`
}

type composition struct {
	Services map[string]service
	Networks map[string]struct{ Internal bool }
	Volumes  map[string]struct{}
}

func load(t *testing.T) (composition, string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docker-compose.yml"))
	require.NoError(t, err)
	var c composition
	require.NoError(t, yaml.Unmarshal(text, &c))
	require.NotEmpty(t, c.Services)
	return c, string(text)
}

func TestEveryServiceIsHardened(t *testing.T) {
	t.Parallel()
	c, _ := load(t)
	for name, s := range c.Services {
		require.True(t, s.ReadOnly, name)
		require.False(t, s.Privileged, name)
		require.Equal(t, []string{"ALL"}, s.CapDrop, name)
		require.Equal(t, []string{"no-new-privileges:true"}, s.SecurityOpt, name)
		for _, port := range s.Ports {
			require.True(t, strings.HasPrefix(port, "127.0.0.1:"), "%s publishes %s", name, port)
			require.Contains(t, s.Networks, "outside", name)
		}
		for _, volume := range s.Volumes {
			require.NotContains(t, volume, "docker.sock", name)
		}
		if s.Build == "" {
			require.Regexp(t, `^[a-z/-]+:[0-9][0-9a-z.-]*$`, s.Image, "%s is pinned", name)
		} else {
			require.Equal(t, "65532:65532", s.User, name)
		}
	}
	require.True(t, c.Networks["inside"].Internal)
	for _, name := range []string{"postgres", "temporal", "migrate"} {
		require.Equal(t, []string{"inside"}, c.Services[name].Networks, name)
	}
}

// secretName matches variables that carry a secret, ours and those of the images.
var secretName = regexp.MustCompile(`KEY|PASSWORD|PWD|PEPPER|SECRET|DATABASE_URL`)

func TestNoSecretHasADefault(t *testing.T) {
	t.Parallel()
	c, text := load(t)
	for name, s := range c.Services {
		for variable, value := range s.Environment {
			if secretName.MatchString(variable) {
				require.Regexp(t, `\$\{[A-Z_]+:(\?|-\})`, value, "%s of %s is required, or empty", variable, name)
			}
		}
	}
	example, err := os.ReadFile(filepath.Join("..", "..", ".env.example"))
	require.NoError(t, err)
	for _, match := range regexp.MustCompile(`\$\{([A-Z_]+):\?`).FindAllStringSubmatch(text, -1) {
		require.Regexp(t, `(?m)^`+match[1]+`=$`, string(example), "%s stands in .env.example, empty", match[1])
	}
}

func TestSettingsExist(t *testing.T) {
	t.Parallel()
	c, _ := load(t)
	known := map[string]bool{}
	for _, row := range config.Table() {
		known[row.Name] = true
	}
	for _, name := range []string{"api", "worker", "migrate"} {
		for variable := range c.Services[name].Environment {
			require.True(t, known[variable], "%s is no setting", variable)
		}
	}
	for _, name := range []string{"api", "worker"} {
		for _, required := range config.Serving() {
			require.Contains(t, c.Services[name].Environment, required, name)
		}
	}
}

func TestNamesResolve(t *testing.T) {
	t.Parallel()
	c, _ := load(t)
	for name, s := range c.Services {
		for other := range s.DependsOn {
			require.Contains(t, c.Services, other, name)
		}
		for _, network := range s.Networks {
			require.Contains(t, c.Networks, network, name)
		}
		for _, volume := range s.Volumes {
			source, _, _ := strings.Cut(volume, ":")
			if strings.HasPrefix(source, ".") {
				_, err := os.Stat(filepath.Join("..", "..", source))
				require.NoError(t, err, name)
			} else {
				require.Contains(t, c.Volumes, source, name)
			}
		}
	}
}
