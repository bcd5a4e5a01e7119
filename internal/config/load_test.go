package config_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/config"
	"steward/internal/fault"
)

// lookup makes an environment with a data folder of its own.
func lookup(t *testing.T, vars map[string]string) func(string) (string, bool) {
	t.Helper()
	if vars["STEWARD_DATA"] == "" {
		vars["STEWARD_DATA"] = t.TempDir()
	}
	return func(name string) (string, bool) {
		value, ok := vars[name]
		return value, ok
	}
}

func locations(t *testing.T, err error) []string {
	t.Helper()
	require.True(t, fault.Is(err, fault.Invalid), "%v", err)
	var names []string
	for _, f := range err.(*fault.Error).Fields { //nolint:errorlint // Load returns the fault itself
		names = append(names, f.Location)
	}
	return names
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	cfg, err := config.Load(lookup(t, map[string]string{}))
	require.NoError(t, err)
	require.Equal(t, "127.0.0.1:8000", cfg.HTTP.Listen)
	require.Equal(t, "http://127.0.0.1:8000", cfg.HTTP.PublicURL)
	require.Equal(t, cfg.HTTP.PublicURL, cfg.Auth.Issuer)
	require.Equal(t, cfg.HTTP.PublicURL, cfg.Auth.Audience)
	require.Empty(t, cfg.HTTP.DebugListen)
	require.Equal(t, config.EdDSA, cfg.Auth.Algorithm)
	require.Equal(t, config.Limits{
		Queue: 1000, Body: 1 << 20, Instructions: 64 << 10, Steps: 40, Tokens: 200_000, Wall: 30 * time.Minute, Approval: 168 * time.Hour,
	}, cfg.Limits)
	require.Equal(t, config.Rates{Create: 60, Read: 600, PerKey: 6000, Login: 5, MCP: 1200, Calls: 600, Streams: 20}, cfg.Rates)
}

func TestEnvironmentThenFileTwinThenKeysFile(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	keys := filepath.Join(data, config.KeysFile)
	require.NoError(t, config.GenerateKeys(keys))
	twin := filepath.Join(data, "model-key")
	require.NoError(t, os.WriteFile(twin, []byte("sk-from-a-file\n"), 0o600))
	pepper, err := config.NewKey()
	require.NoError(t, err)

	cfg, err := config.Load(lookup(t, map[string]string{
		"STEWARD_DATA": data, "DATABASE_URL": "postgres://app@db/steward", "OPENAI_API_KEY_FILE": twin,
		"STEWARD_API_KEY_PEPPER": pepper, "OPENAI_BASE_URL": "", "STEWARD_PUBLIC_URL": "https://steward.example/",
		"STEWARD_EGRESS_ALLOW": "10.0.0.0/8,db.internal", "STEWARD_RUN_WALL": "45m",
	}), config.Serving()...)
	require.NoError(t, err)
	require.Equal(t, "sk-from-a-file", cfg.Model.APIKey.Reveal())
	require.Equal(t, pepper, cfg.Auth.Pepper.Reveal(), "the environment wins over the keys file")
	require.False(t, cfg.Keys.Secrets.IsZero())
	require.False(t, cfg.Keys.Secrets.Equal(cfg.Keys.Codec))
	require.True(t, cfg.Database.MigrateURL.Equal(cfg.Database.URL))
	require.Equal(t, "https://steward.example", cfg.HTTP.PublicURL)
	require.Equal(t, []string{"10.0.0.0/8", "db.internal"}, cfg.Egress.Allow)
	require.Equal(t, 45*time.Minute, cfg.Limits.Wall)
	require.NotContains(t, fmt.Sprintf("%+v", cfg), "sk-from-a-file")
	require.NotContains(t, fmt.Sprintf("%#v", cfg), pepper)
}

func TestEverythingWrongIsReportedAtOnce(t *testing.T) {
	t.Parallel()
	const value = "hunter2-the-rejected-value"
	cfg, err := config.Load(lookup(t, map[string]string{
		"STEWARD_RUN_STEPS": value, "STEWARD_RUN_WALL": value, "STEWARD_RUN_TOKENS": "-3", "STEWARD_JWT_ALG": value,
		"FERNET_KEYS": value, "STEWARD_CODEC_KEYS": "a", "STEWARD_SIGNING_KEY": value, "STEWARD_AUDIT_KEY": value,
		"DATABASE_URL": value, "STEWARD_PUBLIC_URL": value, "STEWARD_LISTEN": value, "STEWARD_DEBUG_LISTEN": "0.0.0.0:9090",
		"OPENAI_API_KEY": value, "OPENAI_API_KEY_FILE": "/nonexistent", "STEWARD_VERIFY_KEYS": value,
	}), config.Serving()...)
	require.Equal(t, []string{
		"DATABASE_URL", "FERNET_KEYS", "OPENAI_API_KEY", "STEWARD_API_KEY_PEPPER", "STEWARD_AUDIT_KEY", "STEWARD_CODEC_KEYS",
		"STEWARD_DEBUG_LISTEN", "STEWARD_JWT_ALG", "STEWARD_LISTEN", "STEWARD_PUBLIC_URL", "STEWARD_RUN_STEPS",
		"STEWARD_RUN_TOKENS", "STEWARD_RUN_WALL", "STEWARD_SIGNING_KEY", "STEWARD_VERIFY_KEYS",
	}, locations(t, err))
	require.Equal(t, "invalid_settings", fault.CodeOf(err))
	require.NotContains(t, err.Error(), value)
	require.NotNil(t, cfg)
}

func TestRequired(t *testing.T) {
	t.Parallel()
	_, err := config.Load(lookup(t, map[string]string{}), config.Serving()...)
	require.ElementsMatch(t, config.Serving(), locations(t, err))

	key, err := config.NewKey()
	require.NoError(t, err)
	_, err = config.Load(lookup(t, map[string]string{"FERNET_KEY": key}), "FERNET_KEYS")
	require.NoError(t, err, "FERNET_KEY stands in for FERNET_KEYS")

	vars := map[string]string{"STEWARD_JWT_ALG": "HS256", "SECRET_KEY": "short"}
	_, err = config.Load(lookup(t, vars), "STEWARD_SIGNING_KEY")
	require.Equal(t, []string{"SECRET_KEY"}, locations(t, err))
	vars["SECRET_KEY"] = key
	_, err = config.Load(lookup(t, vars), "STEWARD_SIGNING_KEY")
	require.NoError(t, err, "HS256 needs no signing key")
	_, err = config.Load(lookup(t, map[string]string{"SECRET_KEY": "short"}))
	require.NoError(t, err, "SECRET_KEY means nothing without HS256")
}

func TestKeysFileMustBePrivate(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(path string) error{
		"group": func(path string) error { return os.Chmod(path, 0o640) },
		"world": func(path string) error { return os.Chmod(path, 0o604) },
		"link": func(path string) error {
			if err := os.Rename(path, path+".real"); err != nil {
				return err
			}
			return os.Symlink(path+".real", path)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data := t.TempDir()
			path := filepath.Join(data, config.KeysFile)
			require.NoError(t, config.GenerateKeys(path))
			require.NoError(t, spoil(path))
			_, err := config.Load(lookup(t, map[string]string{"STEWARD_DATA": data}))
			require.Equal(t, []string{config.KeysFile}, locations(t, err))
			require.Error(t, config.GenerateKeys(path), "nothing is added to a file that is not private")
		})
	}
}

func TestTable(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, row := range config.Table() {
		require.NotEmpty(t, row.Doc, row.Name)
		require.False(t, seen[row.Name], "%s is there twice", row.Name)
		seen[row.Name] = true
		secretName := (strings.Contains(row.Name, "KEY") || strings.HasSuffix(row.Name, "_SECRET") || strings.HasSuffix(row.Name, "_CREDENTIALS")) && !strings.Contains(row.Name, "RATE") && row.Name != "STEWARD_VERIFY_KEYS"
		require.Equal(t, secretName || strings.Contains(row.Name, "DATABASE_URL"), row.Secret, row.Name)
	}
	for _, name := range config.Serving() {
		require.True(t, seen[name], name)
	}
}
