package stacktest

import (
	"context"
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
	"steward/internal/secret"
)

// DialTemporal starts a Temporal server on the test's own PostgreSQL and ends it with the test.
func DialTemporal(t *testing.T, server *postgres.TemporaryServer) client.Client {
	t.Helper()
	password := secret.New("temporal")
	require.NoError(t, server.EnsureRole(t.Context(), postgres.Role{Name: "temporal", Password: password}))
	require.NoError(t, server.EnsureDatabase(t.Context(), "temporal", "temporal"))
	require.NoError(t, server.EnsureDatabase(t.Context(), "temporal_visibility", "temporal"))
	port, err := process.FreePort(t.Context(), 0)
	require.NoError(t, err)
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	p, err := process.Start(t.Context(), process.Config{
		Name: "temporal", Path: TemporalBinary(t), Log: slog.New(slog.DiscardHandler),
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
