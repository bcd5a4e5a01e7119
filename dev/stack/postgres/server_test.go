package postgres_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"steward/dev/stack/postgres"
	"steward/dev/stack/stacktest"
	"steward/internal/fault"
	"steward/internal/secret"
)

// ownerVariable makes the test binary start a server in the folder it names and wait to be killed.
const ownerVariable = "STEWARD_TEST_OWNER"

func TestMain(m *testing.M) {
	if dir := os.Getenv(ownerVariable); dir != "" {
		s, err := postgres.Start(context.Background(), postgres.Config{Dir: dir, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		_, _ = fmt.Fprintln(os.Stdout, s.PID())
		<-make(chan struct{})
	}
	os.Exit(m.Run())
}

// folder is removed at the end. t.TempDir would do, were its parent not closed to the user that the server of
// a root's test runs as.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "steward-test-")
	require.NoError(t, err)
	require.NoError(t, os.Chmod(dir, 0o711)) // the server's user must get through
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	return filepath.Join(dir, "postgres")
}

func start(t *testing.T, dir string) *postgres.Server {
	t.Helper()
	s, err := postgres.Start(t.Context(), postgres.Config{Dir: dir, Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Stop(context.Background())) })
	return s
}

func connect(t *testing.T, url secret.String) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url.Reveal())
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// number is the only value of a query.
func number(ctx context.Context, t *testing.T, url secret.String, query string) int {
	t.Helper()
	var n int
	require.NoError(t, connect(t, url).QueryRow(ctx, query).Scan(&n))
	return n
}

func exec1(t *testing.T, url secret.String, statement string) {
	t.Helper()
	_, err := connect(t, url).Exec(t.Context(), statement)
	require.NoError(t, err)
}

func TestRowsSurviveStopAndStart(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	s := start(t, dir)
	exec1(t, s.AdminURL("postgres"), "CREATE TABLE t AS SELECT 42 AS n")
	info, err := os.Stat(filepath.Join(dir, "password"))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	require.NoError(t, s.Stop(t.Context()))

	s = start(t, dir)
	require.Equal(t, 42, number(t.Context(), t, s.AdminURL("postgres"), "SELECT n FROM t"))
}

func TestCrashIsRecoveredAtTheSamePort(t *testing.T) {
	t.Parallel()
	s := start(t, folder(t))
	pool, err := pgxpool.New(t.Context(), s.AdminURL("postgres").Reveal())
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	_, err = pool.Exec(t.Context(), "CREATE TABLE t AS SELECT 42 AS n")
	require.NoError(t, err)

	require.NoError(t, s.Kill())
	require.Eventually(t, func() bool { return s.Restarts() == 1 }, 20*time.Second, 10*time.Millisecond)
	require.Eventually(t, func() bool {
		var n int
		return pool.QueryRow(t.Context(), "SELECT n FROM t").Scan(&n) == nil && n == 42
	}, 5*time.Second, 10*time.Millisecond, "the old pool recovers by itself")
}

func TestServerDiesWithItsOwner(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	owner := exec.CommandContext(t.Context(), os.Args[0])
	owner.Env = append(os.Environ(), ownerVariable+"="+dir)
	out, err := owner.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, owner.Start())
	line := make([]byte, 20)
	n, err := out.Read(line)
	require.NoError(t, err)
	pid, err := strconv.Atoi(strings.TrimSpace(string(line[:n])))
	require.NoError(t, err, string(line[:n]))

	_, err = postgres.Start(t.Context(), postgres.Config{Dir: dir, Log: slog.New(slog.DiscardHandler)})
	require.True(t, fault.Is(err, fault.Conflict), "the folder is locked: %v", err)

	require.NoError(t, owner.Process.Kill())
	require.Error(t, owner.Wait())
	s := start(t, dir) // waits for the leftover, if it still runs
	require.False(t, stacktest.Alive(pid))
	require.Equal(t, 1, number(t.Context(), t, s.AdminURL("postgres"), "SELECT 1"))
}

func TestStalePidFileOfAStranger(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	s := start(t, dir)
	require.NoError(t, s.Stop(t.Context()))
	stale := fmt.Sprintf("%d\n%s\n", os.Getpid(), filepath.Join(dir, "data"))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "data", "postmaster.pid"), []byte(stale), 0o600))
	start(t, dir) // this test still runs, so the stranger was not signalled
}

func TestOtherMajorVersionIsRefusedAndKept(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	version := filepath.Join(dir, "data", "PG_VERSION")
	require.NoError(t, os.MkdirAll(filepath.Dir(version), 0o700))
	require.NoError(t, os.WriteFile(version, []byte("9\n"), 0o600))
	_, err := postgres.Start(t.Context(), postgres.Config{Dir: dir, Log: slog.New(slog.DiscardHandler)})
	require.Equal(t, "postgres_version", fault.CodeOf(err), "%v", err)
	require.FileExists(t, version)
}

func TestMissingBinaries(t *testing.T) {
	t.Parallel()
	_, err := postgres.Start(t.Context(), postgres.Config{Dir: folder(t), Bin: t.TempDir(), Log: slog.New(slog.DiscardHandler)})
	require.Equal(t, postgres.CodeMissing, fault.CodeOf(err), "%v", err)
}

func TestTemporaryLeavesNothing(t *testing.T) {
	t.Parallel()
	s, err := postgres.Temporary(t.Context(), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	var dir string
	require.NoError(t, connect(t, s.AdminURL("postgres")).QueryRow(t.Context(), "SHOW data_directory").Scan(&dir))
	require.DirExists(t, dir)
	require.NoError(t, s.Stop(t.Context()))
	require.NoDirExists(t, filepath.Dir(dir))
}

func TestStartNeedsItsDependencies(t *testing.T) {
	t.Parallel()
	_, err := postgres.Start(t.Context(), postgres.Config{})
	require.Error(t, err)
}
