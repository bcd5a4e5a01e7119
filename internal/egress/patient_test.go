package egress_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/egress"
)

// Who gives each request its own time is not cut short by ours, and reaches nothing more.
func TestPatientClient(t *testing.T) {
	t.Parallel()
	exit := egress.NewExit(netip.MustParsePrefix("127.0.0.0/8"))
	for client, limited := range map[*http.Client]bool{exit.Client(): true, exit.Patient(): false} {
		require.Zero(t, client.Timeout)
		transport, ok := client.Transport.(*http.Transport)
		require.True(t, ok)
		require.Equal(t, limited, transport.ResponseHeaderTimeout > 0)
		require.Nil(t, transport.Proxy)
	}
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(server.Close)
	require.NoError(t, get(t.Context(), exit.Patient(), server.URL))
	exit.Patient().CloseIdleConnections()
	require.ErrorIs(t, get(t.Context(), egress.NewExit().Patient(), server.URL), egress.ErrDenied)
}
