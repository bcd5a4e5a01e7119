package egress_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/egress"
	"steward/internal/egress/egresstest"
)

func get(ctx context.Context, c *http.Client, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	res, err := c.Do(req)
	if err != nil {
		return err
	}
	return res.Body.Close()
}

// hostOf is a host as URLs have it, without brackets and escapes.
func hostOf(t *testing.T, host string) string {
	t.Helper()
	u, err := url.Parse("http://" + host)
	require.NoError(t, err)
	return u.Hostname()
}

func TestT06SpecialAddressesAreNeverDialled(t *testing.T) {
	t.Parallel()
	exit := egress.New(egress.Rules{}).Of("alice")
	require.GreaterOrEqual(t, len(egresstest.Special()), 37)
	for _, host := range egresstest.Special() {
		require.ErrorIs(t, get(t.Context(), exit.Client(), "http://"+host+":1/"), egress.ErrDenied, host)
		addr := netip.MustParseAddr(hostOf(t, host))
		to := netip.AddrPortFrom(addr, 1)
		conn, err := exit.Dial(t.Context(), "tcp", to.String())
		require.ErrorIs(t, err, egress.ErrDenied, host)
		require.Nil(t, conn)
		require.False(t, exit.Reaches(to), host)
		require.False(t, exit.Allows(addr), host)
	}
	for _, public := range []string{"8.8.8.8:53", "[2606:4700:4700::1111]:443", "[::ffff:8.8.8.8]:443"} {
		require.True(t, exit.Reaches(netip.MustParseAddrPort(public)), public)
	}
}

// T-08: what is no TCP address, such as the path of a database's socket, is not dialled.
func TestT08OnlyTCPIsDialled(t *testing.T) {
	t.Parallel()
	exit := egress.NewExit(netip.MustParsePrefix("0.0.0.0/0"))
	for network, address := range map[string]string{
		"unix": "/run/postgresql/.s.PGSQL.5432", "unixgram": "/dev/log", "udp": "127.0.0.1:53", "ip4:icmp": "127.0.0.1", "": "127.0.0.1:1",
	} {
		_, err := exit.Dial(t.Context(), network, address)
		require.ErrorIs(t, err, egress.ErrDenied, network)
	}
}

func TestRedirectIsDialledByTheSameRules(t *testing.T) {
	t.Parallel()
	canary := egresstest.NewCanary(t, "127.0.0.1")
	exit := egress.NewExit(netip.MustParsePrefix("127.0.0.2/32"))
	for _, target := range append(egresstest.Special(), canary.Addr.String(), "[::ffff:127.0.0.1]:"+fmt.Sprint(canary.Addr.Port())) {
		outer := at(t, "127.0.0.2", http.RedirectHandler("http://"+target+"/", http.StatusFound))
		require.ErrorIs(t, get(t.Context(), exit.Client(), outer.URL), egress.ErrDenied, target)
		outer.Close()
	}
	require.Zero(t, canary.Connects())
	round := at(t, "127.0.0.2", http.RedirectHandler("/", http.StatusFound))
	require.ErrorContains(t, get(t.Context(), exit.Client(), round.URL), "too many redirects")
}

// at serves at an address of this machine.
func at(t *testing.T, address string, h http.Handler) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	require.NoError(t, s.Listener.Close())
	s.Listener = egresstest.Listen(t, address)
	s.Start()
	t.Cleanup(s.Close)
	return s
}
