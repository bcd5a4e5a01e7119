package doctor

import (
	"bytes"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/app/dev"
	"steward/internal/config"
	"steward/internal/secret"
	"steward/internal/storetest"
)

func of(cfg *config.Config) *subject {
	return &subject{cfg: cfg, lookup: func(string) (string, bool) { return "", false }}
}

func TestKeysFileThatOthersMayRead(t *testing.T) {
	t.Parallel()
	cfg := &config.Config{Data: t.TempDir()}
	require.Equal(t, Warning, keys(t.Context(), of(cfg)).State, "none yet")
	path := filepath.Join(cfg.Data, config.KeysFile)
	require.NoError(t, config.GenerateKeys(path))
	require.Equal(t, Good, keys(t.Context(), of(cfg)).State)
	require.NoError(t, os.Chmod(path, 0o640))
	found := keys(t.Context(), of(cfg))
	require.Equal(t, Missing, found.State)
	require.Equal(t, "chmod 600 "+path, found.Advice)
}

func TestDataFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.Equal(t, Good, dataFolder(t.Context(), of(&config.Config{Data: filepath.Join(dir, "new")})).State)
	require.Equal(t, Good, dataFolder(t.Context(), of(&config.Config{Data: dir})).State)
	file := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	require.Equal(t, Missing, dataFolder(t.Context(), of(&config.Config{Data: file})).State)
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 1, "it leaves nothing behind")
	require.NotEqual(t, Missing, disk(t.Context(), of(&config.Config{Data: filepath.Join(dir, "not", "there")})).State)
}

func TestPortInUse(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // a moment
	require.NoError(t, err)
	s := of(&config.Config{})
	s.cfg.HTTP.Listen, s.cfg.Temporal.UIURL = l.Addr().String(), "http://"+l.Addr().String()
	require.Equal(t, Missing, apiPort(t.Context(), s).State)
	require.Contains(t, uiPort(t.Context(), s).Advice, "STEWARD_TEMPORAL_UI_URL")
	s.running = &dev.State{}
	require.Equal(t, Good, apiPort(t.Context(), s).State, "steward dev itself listens there")
	s.running = nil
	require.NoError(t, l.Close())
	require.Equal(t, Good, apiPort(t.Context(), s).State)
}

func TestDatabase(t *testing.T) {
	t.Parallel()
	require.Equal(t, Good, database(t.Context(), of(&config.Config{})).State, "a private one can be run where tests run")
	application, _ := storetest.URLs(t)
	cfg := &config.Config{}
	cfg.Database.URL = application
	require.Equal(t, Good, database(t.Context(), of(cfg)).State)
	cfg.Database.URL = storetest.Server(t).AdminURL("postgres")
	require.Equal(t, "steward migrate", database(t.Context(), of(cfg)).Advice)
	cfg.Database.URL = secret.New("postgres://u:canary@127.0.0.1:1/none")
	found := database(t.Context(), of(cfg))
	require.Equal(t, Missing, found.State)
	require.NotContains(t, found.Detail, "canary")
}

func TestTemporalThatIsAway(t *testing.T) {
	t.Parallel()
	s := of(&config.Config{})
	s.lookup = func(string) (string, bool) { return "127.0.0.1:1", true }
	require.Equal(t, Warning, temporal(t.Context(), s).State)
}

func TestReport(t *testing.T) {
	t.Parallel()
	findings := []Finding{{What: "a", State: Good, Detail: "fine", Advice: "not shown"}, {What: "b", State: Warning, Detail: "odd", Advice: "look"}}
	require.True(t, Healthy(findings))
	require.False(t, Healthy(append(findings, Finding{State: Missing})))
	var out bytes.Buffer
	require.NoError(t, Write(&out, findings))
	require.Equal(t, "ok       a                 fine\nwarning  b                 odd\n                        -> look\n", out.String())
}
