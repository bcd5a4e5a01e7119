package dev

import (
	"bytes"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/config"
	"steward/internal/fault"
)

func lookup(values map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		value, ok := values[name]
		return value, ok
	}
}

func TestCommandLineFindsTheRunningStack(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(data, "run"), 0o700))
	state := State{
		PID: os.Getpid(), API: Part{Address: "http://127.0.0.1:4711"}, UI: Part{Address: "http://127.0.0.1:4712"},
		Temporal: Part{Address: "127.0.0.1:4713"},
	}
	require.NoError(t, state.write(data))
	require.NoError(t, writePrivate(runFile(data, databaseName), []byte("postgres://steward:pw@127.0.0.1:1/steward\n")))
	require.NoError(t, writePrivate(runFile(data, migrationsName), []byte("postgres://owner:pw@127.0.0.1:1/steward\n")))

	cfg, err := config.Load(Lookup(lookup(map[string]string{"STEWARD_DATA": data})), "DATABASE_URL")
	require.NoError(t, err)
	require.Equal(t, "http://127.0.0.1:4711", cfg.HTTP.PublicURL)
	require.Equal(t, "http://127.0.0.1:4711", cfg.Auth.Audience, "tokens are good for the running stack")
	require.Equal(t, "postgres://owner:pw@127.0.0.1:1/steward", cfg.Database.MigrateURL.Reveal())

	own := map[string]string{"STEWARD_DATA": data, "STEWARD_PUBLIC_URL": "https://steward.example", "DATABASE_URL": "postgres://mine"}
	cfg, err = config.Load(Lookup(lookup(own)), "DATABASE_URL")
	require.NoError(t, err)
	require.Equal(t, "https://steward.example", cfg.HTTP.PublicURL, "what is set wins")
	require.Equal(t, "postgres://mine", cfg.Database.URL.Reveal())

	require.NoError(t, removeState(data))
	require.NoError(t, removeState(data), "twice is once")
	_, running := ReadState(data)
	require.False(t, running)
	_, found := Lookup(lookup(map[string]string{"STEWARD_DATA": data}))("TEMPORAL_ADDRESS")
	require.False(t, found)
}

func TestStateOfADeadStackIsNotBelieved(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(data, "run"), 0o700))
	require.NoError(t, State{PID: 1 << 30}.write(data)) // beyond any process id
	_, running := ReadState(data)
	require.False(t, running)
	require.NoError(t, os.WriteFile(runFile(data, stateName), []byte("{half"), 0o600))
	_, running = ReadState(data)
	require.False(t, running)
}

func TestStateHoldsNoSecretAndIsPrivate(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(data, "run"), 0o700))
	require.NoError(t, writePrivate(runFile(data, databaseName), []byte("postgres://u:p@h/d")))
	require.NoError(t, State{PID: os.Getpid()}.write(data))
	for _, name := range []string{stateName, databaseName} {
		info, err := os.Stat(runFile(data, name))
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), name)
	}
	entries, err := os.ReadDir(filepath.Join(data, "run"))
	require.NoError(t, err)
	require.Len(t, entries, 2, "no temporary file is left")
}

func TestPorts(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // a moment
	require.NoError(t, err)
	t.Cleanup(func() { _ = taken.Close() })

	_, err = loopback(t.Context(), "API and console", "--listen or STEWARD_LISTEN", taken.Addr().String())
	require.Equal(t, "port_taken", fault.CodeOf(err))
	_, port, splitErr := net.SplitHostPort(taken.Addr().String())
	require.NoError(t, splitErr)
	require.Contains(t, fault.Text(err), "port "+port)
	require.Contains(t, fault.Text(err), "STEWARD_LISTEN")

	free, err := loopback(t.Context(), "API", "STEWARD_LISTEN", "127.0.0.1:0")
	require.NoError(t, err)
	require.NotContains(t, free, ":0")
	for _, bad := range []string{"", "8000", "0.0.0.0:8000", "steward.example:8000", "127.0.0.1:http"} {
		_, err := loopback(t.Context(), "API", "STEWARD_LISTEN", bad)
		require.Equal(t, "invalid_settings", fault.CodeOf(err), bad)
	}
}

// Not parallel: it sets variables.
func TestEnvironmentOfParts(t *testing.T) {
	t.Setenv("PATH", "/bin")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "not theirs")
	t.Setenv("STEWARD_RUN_STEPS", "3")
	t.Setenv("DATABASE_URL_FILE", "/run/secrets/db")
	t.Setenv("TEMPORAL_API_KEY", "for another Temporal")
	env := strings.Join(environment(map[string]string{"DATABASE_URL": "postgres://ours", "TEMPORAL_ADDRESS": "127.0.0.1:1"}), "\n")
	require.Contains(t, env, "PATH=/bin")
	require.Contains(t, env, "STEWARD_RUN_STEPS=3")
	require.Contains(t, env, "DATABASE_URL=postgres://ours")
	require.NotContains(t, env, "AWS_")
	require.NotContains(t, env, "DATABASE_URL_FILE", "one of the two")
	require.NotContains(t, env, "TEMPORAL_API_KEY", "our own server has no credentials")
	require.Contains(t, strings.Join(environment(nil), "\n"), "TEMPORAL_API_KEY=for another Temporal")
}

func TestTemporalBinaryThatCannotBeHad(t *testing.T) {
	t.Parallel()
	exe := filepath.Join(t.TempDir(), "bin", "steward")
	var out bytes.Buffer
	_, err := temporalBinary(t.Context(), exe, &out)
	require.Equal(t, "temporal_missing", fault.CodeOf(err))
	require.Contains(t, fault.Text(err), "make bin/steward-temporal")
	require.Equal(t, TemporalAbsent, FindTemporal(exe))

	require.NoError(t, os.MkdirAll(filepath.Dir(exe), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(filepath.Dir(exe), temporalProgram), nil, 0o600))
	found, err := temporalBinary(t.Context(), exe, &out)
	require.NoError(t, err)
	require.Equal(t, temporalProgram, filepath.Base(found))
	require.Equal(t, TemporalBuilt, FindTemporal(exe))
}

// A module of one file stands for the server's: what matters is that it is built beside us, whole or not
// at all, with its progress told.
func TestTemporalIsBuiltFromSource(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	source := filepath.Join(root, "dev", "temporal")
	require.NoError(t, os.MkdirAll(source, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(source, "go.mod"), []byte("module example\n\ngo 1.26\n"), 0o600))
	write := func(code string) {
		require.NoError(t, os.WriteFile(filepath.Join(source, "main.go"), []byte(code), 0o600))
	}
	exe := filepath.Join(root, "bin", "steward")
	require.NoError(t, os.MkdirAll(filepath.Dir(exe), 0o700))

	var out bytes.Buffer
	write("package main\n\nfunc main() { broken }\n")
	require.Equal(t, TemporalSource, FindTemporal(exe))
	_, err := temporalBinary(t.Context(), exe, &out)
	require.Equal(t, "temporal_missing", fault.CodeOf(err))
	require.Contains(t, fault.Text(err), "undefined: broken")
	require.Equal(t, TemporalSource, FindTemporal(exe), "nothing half made is left")

	write("package main\n\nfunc main() {}\n")
	binary, err := temporalBinary(t.Context(), exe, &out)
	require.NoError(t, err)
	require.Contains(t, out.String(), "building steward-temporal")
	info, err := os.Stat(binary)
	require.NoError(t, err)
	require.NotZero(t, info.Mode()&0o100)
}
