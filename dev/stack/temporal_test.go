package stack_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/dev/stack"
	"steward/dev/stack/postgres"
	"steward/dev/stack/process"
	"steward/dev/stack/stacktest"
	"steward/internal/secret"
)

// cluster starts a PostgreSQL with Temporal's databases, owned by role temporal with this password.
func cluster(t *testing.T, dir string, port int, password secret.String) *postgres.Server {
	t.Helper()
	s, err := postgres.Start(t.Context(), postgres.Config{Dir: dir, Port: port, Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Stop(context.Background())) })
	require.NoError(t, s.EnsureRole(t.Context(), postgres.Role{Name: "temporal", Password: password}))
	require.NoError(t, s.EnsureDatabase(t.Context(), "temporal", "temporal"))
	require.NoError(t, s.EnsureDatabase(t.Context(), "temporal_visibility", "temporal"))
	return s
}

func freeAddress(t *testing.T) string {
	t.Helper()
	port, err := process.FreePort(t.Context(), 0)
	require.NoError(t, err)
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
}

// temporal is a steward-temporal on the cluster at url, not started yet.
func temporal(t *testing.T, url secret.String, out *bytes.Buffer, args ...string) *exec.Cmd {
	t.Helper()
	args = append([]string{"-listen", freeAddress(t), "-ui", ""}, args...)
	cmd := exec.CommandContext(t.Context(), stacktest.TemporalBinary(t), args...)
	cmd.Env = []string{"STEWARD_TEMPORAL_DATABASE_URL=" + url.Reveal()}
	cmd.Stderr = out
	return cmd
}

func TestTemporalWaitsForItsDatabase(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	port, err := process.FreePort(t.Context(), 0)
	require.NoError(t, err)
	password := secret.New("password")
	s := cluster(t, dir, port, password)
	require.NoError(t, s.Stop(t.Context()))
	var config net.ListenConfig
	absent, err := config.Listen(t.Context(), "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	require.NoError(t, err)

	var out bytes.Buffer
	cmd := temporal(t, s.URL("", "temporal", password), &out, "-lifeline")
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	ready, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	for range 3 { // it is turned away and comes back
		conn, err := absent.Accept()
		require.NoError(t, err)
		require.NoError(t, conn.Close())
	}
	require.NoError(t, absent.Close())

	cluster(t, dir, port, password)
	var line string
	_, err = fmt.Fscan(ready, &line)
	require.NoError(t, err)
	require.Equal(t, "READY", line)
	require.NoError(t, stdin.Close())
	require.NoError(t, cmd.Wait(), out.String())
}

func TestTemporalRefusesAtOnce(t *testing.T) {
	t.Parallel()
	s := cluster(t, folder(t), 0, secret.New("right"))
	right, wrong := s.URL("", "temporal", secret.New("right")), s.URL("", "temporal", secret.New("canary-password"))
	for name, test := range map[string]struct {
		url  secret.String
		args []string
		want string
	}{
		"wrong password":      {wrong, nil, "28P01"},
		"missing database":    {right, []string{"-database", "absent"}, "3D000"},
		"address of the host": {right, []string{"-listen", "0.0.0.0:7233"}, "loopback"},
		"no database at all":  {secret.String{}, nil, "STEWARD_TEMPORAL_DATABASE_URL"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			began := time.Now()
			require.Error(t, temporal(t, test.url, &out, test.args...).Run())
			require.Less(t, time.Since(began), 15*time.Second)
			require.Contains(t, out.String(), test.want)
			require.NotContains(t, out.String(), "canary")
		})
	}
}

func TestTemporalStopsWithItsStandardInput(t *testing.T) {
	t.Parallel()
	s, err := postgres.Temporary(t.Context(), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Stop(context.Background())) })
	for _, name := range []string{"temporal", "temporal_visibility"} {
		require.NoError(t, s.EnsureDatabase(t.Context(), name, "steward_admin"))
	}
	var out bytes.Buffer
	cmd := temporal(t, s.AdminURL(""), &out, "-lifeline")
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	require.NoError(t, stdin.Close()) // as the kernel does when the supervisor dies, here during the start
	require.NoError(t, cmd.Wait(), out.String())
	require.NotContains(t, out.String(), "steward_admin:", "no address with a password")
}

// An update of the schema is many statements and no transaction: it must be possible to repeat it.
func TestTemporalKilledInItsFirstStart(t *testing.T) {
	t.Parallel()
	s, err := postgres.Temporary(t.Context(), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Stop(context.Background())) })
	for _, name := range []string{"temporal", "temporal_visibility"} {
		require.NoError(t, s.EnsureDatabase(t.Context(), name, "steward_admin"))
	}
	var out bytes.Buffer
	killed := temporal(t, s.AdminURL(""), &out)
	require.NoError(t, killed.Start())
	db := open(t, s.AdminURL("temporal"))
	require.Eventually(t, func() bool { // the table's one row is inserted next
		var made bool
		err := db.QueryRowContext(t.Context(), "SELECT to_regclass('namespace_metadata') IS NOT NULL").Scan(&made)
		return err == nil && made
	}, recovery, time.Millisecond)
	require.NoError(t, killed.Process.Kill())
	require.Error(t, killed.Wait())

	p, err := process.Start(t.Context(), process.Config{
		Name: "temporal", Path: killed.Path, Args: killed.Args[1:], Env: killed.Env, ReadyLine: "READY", Log: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	require.NoError(t, p.Stop(t.Context()))
}

// A port that was free may be taken when Temporal wants it: it is started once more, on others.
func TestTemporalIsStartedOnceMore(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	own := t.TempDir()
	binary := filepath.Join(own, "temporal")
	script := "#!/bin/sh\necho \"$2\" >> " + own + "/asked\n[ $(wc -l < " + own + "/asked) -gt 1 ] || exit 1\necho READY\nexec cat\n"
	require.NoError(t, os.WriteFile(binary, []byte(script), 0o700))
	s, err := stack.Start(t.Context(), stack.Config{Data: dir, Log: slog.New(slog.DiscardHandler), Install: io.Discard, TemporalBinary: binary})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Stop(context.WithoutCancel(t.Context()))) })
	asked, err := os.ReadFile(filepath.Join(own, "asked"))
	require.NoError(t, err)
	addresses := strings.Fields(string(asked))
	require.Len(t, addresses, 2)
	require.Equal(t, addresses[1], s.TemporalAddress)
}
