package egress_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/egress"
)

// T-08: what one user may reach, another may not, also over a connection that the first one has left open.
func TestT08OwnAddressesAreNobodyElses(t *testing.T) {
	t.Parallel()
	var connects, requests atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { requests.Add(1) }))
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			connects.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	rules, err := egress.Parse([]string{"alice=127.0.0.1", "carol=127.0.0.0/8", "dave=10.0.0.0/8"})
	require.NoError(t, err)
	exits := egress.New(rules)
	t.Cleanup(exits.Close)

	to := server.Listener.Addr().String()
	for range 3 {
		require.NoError(t, get(t.Context(), exits.Of("alice").Client(), server.URL))
		for _, other := range []string{"bob", "dave", "", "Alice", "alice "} {
			exit := exits.Of(other)
			require.ErrorIs(t, get(t.Context(), exit.Client(), server.URL), egress.ErrDenied, other)
			_, err := exit.Dial(t.Context(), "tcp", to)
			require.ErrorIs(t, err, egress.ErrDenied, other)
			require.False(t, exit.Reaches(netip.MustParseAddrPort(to)), other)
		}
	}
	require.EqualValues(t, 3, requests.Load())
	require.EqualValues(t, 1, connects.Load(), "alice's own connection is used again")
	require.NoError(t, get(t.Context(), exits.Of("carol").Client(), server.URL))
	require.EqualValues(t, 2, connects.Load(), "carol does not use alice's")
	conn, err := exits.Of("alice").Dial(t.Context(), "tcp", to)
	require.NoError(t, err)
	require.NoError(t, conn.Close())
	require.Same(t, exits.Of("bob").Client(), exits.Of("").Client(), "who has no rules of their own shares what everybody has")
}

func TestOwnRulesAreBesideThoseForEverybody(t *testing.T) {
	t.Parallel()
	rules, err := egress.Parse([]string{"10.0.0.0/8", "alice=192.168.1.5"})
	require.NoError(t, err)
	exits := egress.New(rules)
	for owner, addresses := range map[string]map[string]bool{
		"alice": {"10.1.1.1": true, "::ffff:10.1.1.1": true, "192.168.1.5": true, "192.168.1.6": false},
		"bob":   {"10.1.1.1": true, "192.168.1.5": false, "::ffff:192.168.1.5": false},
	} {
		for address, reached := range addresses {
			require.Equal(t, reached, exits.Of(owner).Allows(netip.MustParseAddr(address)), "%s %s", owner, address)
			require.Equal(t, reached, exits.Of(owner).Reaches(netip.AddrPortFrom(netip.MustParseAddr(address), 5432)), "%s %s", owner, address)
		}
	}
}
