package command_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/install/command"
)

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
	require.True(t, strings.HasSuffix(e.Words, "word 1999"), "the end is kept")
	require.LessOrEqual(t, len(e.Words), 8<<10)

	_, err = command.Run(t.Context(), shell(`head -c 17000000 /dev/zero`))
	require.ErrorContains(t, err, "too long")
}

func TestEndOfContextEndsTheWholeGroup(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "pid")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := command.Run(ctx, shell(`sleep 600 & echo $! > `+file+`; wait`))
		done <- err
	}()
	var pid []byte
	require.Eventually(t, func() bool {
		pid, _ = os.ReadFile(file) //nolint:gosec // G304: our own file
		return strings.HasSuffix(string(pid), "\n")
	}, 10*time.Second, 5*time.Millisecond)
	cancel()
	require.ErrorIs(t, <-done, context.Canceled)
	require.Eventually(t, func() bool {
		state, err := os.ReadFile(filepath.Join("/proc", strings.TrimSpace(string(pid)), "stat"))
		return err != nil || strings.Contains(string(state), ") Z ")
	}, 10*time.Second, 5*time.Millisecond)
}

func TestOnlyWhatPackageManagersNeedIsPassedOn(t *testing.T) {
	t.Parallel()
	got := command.Environment([]string{
		"PATH=/bin", "HOME=/root", "DATABASE_URL=postgres://x", "OPENAI_API_KEY=k", "https_proxy=http://p", "HTTPS_PROXY=http://p", "npm_config_registry=r",
		"NPM_CONFIG_CAFILE=c", "PIP_INDEX_URL=i", "NODE_OPTIONS=--require x", "NODE_EXTRA_CA_CERTS=c", "LD_PRELOAD=x",
	}, []string{"HOME=/tmp/x"}, "NPM_CONFIG_")
	require.Equal(t, []string{
		"HOME=/tmp/x", "https_proxy=http://p", "HTTPS_PROXY=http://p", "npm_config_registry=r", "NPM_CONFIG_CAFILE=c", "NODE_EXTRA_CA_CERTS=c",
	}, got)
	require.Equal(t, "/bin", command.Lookup([]string{"PATHS=x", "PATH=/bin"}, "PATH"))
}
