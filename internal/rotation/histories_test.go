package rotation

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	temporallog "go.temporal.io/sdk/log"

	"steward/dev/stack/postgres"
	"steward/dev/stack/process"
	"steward/dev/stack/stacktest"
	"steward/internal/secret"
	"steward/internal/storetest"
)

// dialTemporal starts a Temporal server on the test's own PostgreSQL.
func dialTemporal(t *testing.T) client.Client {
	t.Helper()
	server := storetest.Server(t)
	password := secret.New("temporal")
	require.NoError(t, server.EnsureRole(t.Context(), postgres.Role{Name: "temporal", Password: password}))
	require.NoError(t, server.EnsureDatabase(t.Context(), "temporal", "temporal"))
	require.NoError(t, server.EnsureDatabase(t.Context(), "temporal_visibility", "temporal"))
	port, err := process.FreePort(t.Context(), 0)
	require.NoError(t, err)
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	p, err := process.Start(t.Context(), process.Config{
		Name: "temporal", Path: stacktest.TemporalBinary(t), Log: slog.New(slog.DiscardHandler),
		LogFile: filepath.Join(t.TempDir(), "temporal.log"), Args: []string{"-listen", address, "-ui", "", "-lifeline"},
		Env:      append(os.Environ(), "STEWARD_TEMPORAL_DATABASE_URL="+server.URL("", "temporal", password).Reveal()),
		Lifeline: true, ReadyLine: "READY", StartTimeout: 90 * time.Second,
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Stop(context.Background())) })
	c, err := client.Dial(client.Options{HostPort: address, Logger: temporallog.NewStructuredLogger(slog.New(slog.DiscardHandler))})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

// A real server answers what is asked about histories.
//
//nolint:paralleltest // beside the load of the other tests the server might not come up in time
func TestTemporalKnowsItsHistories(t *testing.T) {
	c := dialTemporal(t)
	h, err := NewHistories(c.WorkflowService(), client.DefaultNamespace)
	require.NoError(t, err)
	retention, err := h.retention(t.Context())
	require.NoError(t, err)
	require.Positive(t, retention)

	earlier := time.Now()
	already, err := h.before(t.Context(), earlier)
	require.NoError(t, err)
	_, err = c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: rand.Text(), TaskQueue: "nobody"}, "Any")
	require.NoError(t, err)
	closed, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: rand.Text(), TaskQueue: "nobody"}, "Other")
	require.NoError(t, err)
	require.NoError(t, c.TerminateWorkflow(t.Context(), closed.GetID(), closed.GetRunID(), "done"))
	require.Eventually(t, func() bool {
		n, err := h.before(t.Context(), time.Now().Add(time.Second))
		return err == nil && n == already+2
	}, 10*time.Second, 50*time.Millisecond, "open and closed ones")
	n, err := h.before(t.Context(), earlier)
	require.NoError(t, err)
	require.Equal(t, already, n)
}
