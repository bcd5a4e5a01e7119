package command_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/install/command"
	"steward/internal/launch/process"
)

func TestMain(m *testing.M) {
	process.Become() // package managers start as this program
	os.Exit(m.Run())
}

func shell(script string) command.Command {
	return command.Command{Path: "/bin/sh", Args: []string{"-c", script}, Env: []string{"PATH=" + os.Getenv("PATH")}}
}

func TestRun(t *testing.T) {
	t.Parallel()
	out, err := command.Run(t.Context(), shell(`echo answer; echo word >&2`))
	require.NoError(t, err)
	require.Equal(t, "answer\n", string(out))

	_, err = command.Run(t.Context(), shell(`echo '{"error":1}'; i=0; while [ $i -lt 2000 ]; do echo "word $i" >&2; i=$((i+1)); done; exit 3`))
	e, ok := errors.AsType[*command.Error](err)
	require.True(t, ok)
	require.JSONEq(t, `{"error":1}`, string(e.Output))
	require.Contains(t, e.Words, "\nword 1998\n", "the end is kept")
	require.Contains(t, e.Words, "\nword 1999", "the end is kept")
	require.Contains(t, e.Words, "(child ended: exit status 3)", "it comes from another side: somewhere among the last words")
	require.LessOrEqual(t, len(e.Words), 8<<10)

	_, err = command.Run(t.Context(), shell(`head -c 17000000 /dev/zero`))
	require.ErrorContains(t, err, "too long")
}

func TestEndOfContextEndsWhateverItStarted(t *testing.T) {
	t.Parallel()
	made := t.TempDir()
	pipe := filepath.Join(made, "pipe")
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		c := shell(`sleep 600 > ` + pipe + ` & wait`)
		c.Into = made
		_, err := command.Run(ctx, c)
		done <- err
	}()
	alive, err := os.Open(pipe) // waits for the one who has it open to write
	require.NoError(t, err)
	cancel()
	require.ErrorIs(t, <-done, context.Canceled)
	_, err = io.ReadAll(alive) // until nobody has
	require.NoError(t, err)
	require.NoError(t, alive.Close())
}

// T-28: what runs on a stranger's files has the network and its own folders, and nothing of ours.
func TestPackageManagersHaveNothingOfOurs(t *testing.T) {
	t.Setenv("STEWARD_CANARY", "canary")
	home, made, ours := t.TempDir(), t.TempDir(), t.TempDir()
	keys, setting := filepath.Join(ours, "keys.env"), filepath.Join(ours, "npmrc")
	require.NoError(t, os.WriteFile(keys, []byte("canary"), 0o644))
	require.NoError(t, os.WriteFile(setting, []byte("setting"), 0o600))
	c := shell(`echo new > ` + made + `/file; echo new > file; echo bad > ` + setting + `; cat ` + setting + `; cat ` + keys + ` /proc/*/environ; env; id -u`)
	c.Home, c.Into, c.Read = home, made, []string{setting}
	out, err := command.Run(t.Context(), c)
	require.NoError(t, err)
	require.FileExists(t, filepath.Join(made, "file"))
	require.FileExists(t, filepath.Join(home, "file"))
	said := string(out)
	require.True(t, strings.HasPrefix(said, "setting"), said)
	require.NotContains(t, said, "canary")
	if os.Getuid() == 0 {
		require.Regexp(t, `\n[1-9]\d{9}\n$`, said, "a user of its own")
	}
}

func TestSettingsAreReadWithWhatTheyName(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	require.NoError(t, os.Mkdir(at("wheels"), 0o700))
	require.NoError(t, os.Mkdir(at("cache"), 0o700))
	for name, content := range map[string]string{
		"npmrc": "registry=https://registry.example.com/\ncafile = \"" + at("ca.pem") + "\"\ncache=" + at("cache") + "\nkeyfile=" + at("gone") + "\n",
		"pip":   "[global]\nfind-links = " + at("wheels") + " https://x/y\n", "ca.pem": "", "cert.pem": "",
	} {
		require.NoError(t, os.WriteFile(at(name), []byte(content), 0o600))
	}
	got := command.Settings([]string{"PIP_CERT=" + at("cert.pem"), "NPM_CONFIG_USERCONFIG=/dev/null", "npm_config_prefix=" + dir}, at("npmrc"), at("pip"), at("none"), "/dev/null")
	require.Equal(t, []string{at("ca.pem"), at("cert.pem"), at("npmrc"), at("pip"), at("wheels")}, got)
}

func TestOnlyWhatPackageManagersNeedIsPassedOn(t *testing.T) {
	t.Parallel()
	got := command.Environment([]string{
		"PATH=/bin", "HOME=/root", "DATABASE_URL=postgres://x", "OPENAI_API_KEY=k", "https_proxy=http://p", "HTTPS_PROXY=http://p", "npm_config_registry=r",
		"NPM_CONFIG_CAFILE=c", "PIP_INDEX_URL=i", "NODE_OPTIONS=--require x", "NODE_EXTRA_CA_CERTS=c", "LD_PRELOAD=x",
	}, []string{"PATH=/x"}, "NPM_CONFIG_")
	require.Equal(t, []string{
		"PATH=/x", "https_proxy=http://p", "HTTPS_PROXY=http://p", "npm_config_registry=r", "NPM_CONFIG_CAFILE=c", "NODE_EXTRA_CA_CERTS=c",
	}, got)
	require.Equal(t, "/bin", command.Lookup([]string{"PATHS=x", "PATH=/bin"}, "PATH"))
}
