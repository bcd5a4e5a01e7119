package stack_test

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"steward/dev/stack"
	"steward/dev/stack/stacktest"
	"steward/internal/fault"
	"steward/internal/secret"
	"steward/schema"
)

// recovery is how long a client may have to wait after a part of the stack was killed.
const recovery = 30 * time.Second

// folder is a data folder that the user PostgreSQL runs as, when the test is root, can get into.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "steward-stack-") // the parent of t.TempDir is closed
	require.NoError(t, err)
	require.NoError(t, os.Chmod(dir, 0o711))
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	return filepath.Join(dir, "data")
}

func config(t *testing.T, dir string) stack.Config {
	return stack.Config{
		Data: dir, Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
		TemporalBinary: stacktest.TemporalBinary(t), UI: true, CodecEndpoint: "http://127.0.0.1:1/codec",
	}
}

func start(t *testing.T, cfg stack.Config) *stack.Stack {
	t.Helper()
	began := time.Now()
	s, err := stack.Start(t.Context(), cfg)
	require.NoError(t, err)
	t.Logf("stack started in %v", time.Since(began).Round(time.Millisecond))
	t.Cleanup(func() {
		began := time.Now()
		require.NoError(t, s.Stop(context.Background()))
		t.Logf("stack stopped in %v", time.Since(began).Round(time.Millisecond))
	})
	return s
}

func echo(_ workflow.Context, word string) (string, error) { return word, nil }

// dial connects a client and a worker to the stack's Temporal.
func dial(t *testing.T, address string) client.Client {
	t.Helper()
	c, err := client.Dial(client.Options{HostPort: address, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	w := worker.New(c, "echo", worker.Options{})
	w.RegisterWorkflow(echo)
	require.NoError(t, w.Start())
	t.Cleanup(w.Stop)
	return c
}

// tryEcho runs one workflow to its end.
func tryEcho(ctx context.Context, c client.Client) error {
	ctx, cancel := context.WithTimeout(ctx, recovery)
	defer cancel()
	run, err := c.ExecuteWorkflow(ctx, client.StartWorkflowOptions{TaskQueue: "echo"}, echo, "hello")
	if err != nil {
		return err
	}
	var word string
	if err := run.Get(ctx, &word); err != nil {
		return err
	}
	if word != "hello" {
		return fmt.Errorf("echo answered %q", word)
	}
	return nil
}

// requireRecovery fails unless a workflow runs again in time.
func requireRecovery(t *testing.T, c client.Client, after string) {
	t.Helper()
	began := time.Now()
	require.Eventually(t, func() bool { return tryEcho(t.Context(), c) == nil }, recovery, 50*time.Millisecond)
	t.Logf("first workflow %v after %s", time.Since(began).Round(time.Millisecond), after)
}

func TestStackServesAndRecovers(t *testing.T) {
	t.Parallel()
	s := start(t, config(t, folder(t)))
	c := dial(t, s.TemporalAddress)
	require.NoError(t, tryEcho(t.Context(), c))
	requireMigrated(t, s)
	requireUI(t, s)

	require.NoError(t, s.Postgres.Kill())
	requireRecovery(t, c, "kill -9 of PostgreSQL")
	require.Equal(t, 1, s.Postgres.Restarts())
	require.Zero(t, s.Temporal.Restarts(), "Temporal outlives a restart of its database")

	require.NoError(t, s.Temporal.Kill())
	requireRecovery(t, c, "kill -9 of Temporal")
	require.Equal(t, 1, s.Temporal.Restarts())
}

// requireMigrated applies the product's migrations as their owner, and checks that the product's own login may
// work on rows but not change tables.
func requireMigrated(t *testing.T, s *stack.Stack) {
	t.Helper()
	migrations, err := fs.Sub(schema.Migrations, "migrations")
	require.NoError(t, err)
	owner := open(t, s.MigrationURL)
	provider, err := goose.NewProvider(goose.DialectPostgres, owner, migrations)
	require.NoError(t, err)
	_, err = provider.Up(t.Context())
	require.NoError(t, err)

	product := open(t, s.DatabaseURL)
	var runs int
	require.NoError(t, product.QueryRowContext(t.Context(), "SELECT count(*) FROM automation_runs").Scan(&runs))
	_, err = product.ExecContext(t.Context(), "DROP TABLE automation_runs")
	require.ErrorContains(t, err, "42501")
}

func open(t *testing.T, url secret.String) *sql.DB {
	t.Helper()
	db, err := sql.Open("pgx", url.Reveal())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

func requireUI(t *testing.T, s *stack.Stack) {
	t.Helper()
	settings := get(t, "http://"+s.UIAddress+"/api/v1/settings")
	require.Contains(t, settings, `"Endpoint":"http://127.0.0.1:1/codec"`)
	require.Contains(t, settings, `"IncludeCredentials":true`)
	require.Contains(t, get(t, "http://"+s.UIAddress+"/"), "<html")
}

func get(t *testing.T, url string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusOK, resp.StatusCode)
	return string(body)
}

func TestStateSurvivesStopAndStart(t *testing.T) {
	t.Parallel()
	cfg := config(t, folder(t))
	s := start(t, cfg)
	c, err := client.Dial(client.Options{HostPort: s.TemporalAddress, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	_, err = c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: "kept", TaskQueue: "echo"}, "echo", "hello")
	require.NoError(t, err)
	c.Close()

	_, err = stack.Start(t.Context(), cfg)
	require.True(t, fault.Is(err, fault.Conflict), "the data folder is locked: %v", err)
	require.NoError(t, s.Stop(t.Context()))

	s = start(t, cfg)
	var word string
	require.NoError(t, dial(t, s.TemporalAddress).GetWorkflow(t.Context(), "kept", "").Get(t.Context(), &word))
	require.Equal(t, "hello", word)
}

func TestWhatTheCallerHasIsNotStarted(t *testing.T) {
	t.Parallel()
	cfg := stack.Config{
		Data: folder(t), Log: slog.New(slog.DiscardHandler),
		DatabaseURL: secret.New("postgres://theirs"), TemporalAddress: "theirs:7233",
	}
	s := start(t, cfg)
	require.Nil(t, s.Postgres)
	require.Nil(t, s.Temporal)
	require.Equal(t, "theirs:7233", s.TemporalAddress)
	require.True(t, s.DatabaseURL.Equal(cfg.DatabaseURL))
	require.True(t, s.MigrationURL.Equal(cfg.DatabaseURL))
}

func TestMissingTemporalProgram(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	_, err := stack.Start(t.Context(), stack.Config{Data: dir, Log: slog.New(slog.DiscardHandler), TemporalBinary: filepath.Join(dir, "none")})
	require.Equal(t, "temporal_missing", fault.CodeOf(err), "%v", err)
}
