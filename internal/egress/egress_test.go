package egress_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/egress"
)

// special is security.md's list in short: private, link-local, metadata, translated and odd spellings.
var special = []string{
	"127.0.0.1", "127.8.9.10", "10.0.0.1", "172.16.5.4", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
	"168.63.129.16", "192.0.0.8", "198.18.0.1", "224.0.0.1", "255.255.255.255", "[::1]", "[::]", "[::ffff:127.0.0.1]",
	"[::ffff:10.0.0.1]", "[fe80::1]", "[fc00::1]", "[fec0::1]", "[2002:7f00:1::]", "[64:ff9b::7f00:1]", "[64:ff9b:1::1]",
	"[2001:db8::1]", "[3fff::1]", "[5f00::1]", "[::127.0.0.1]", "[ff02::1]", "[100::1]",
}

func TestSpecialAddressesAreNeverDialled(t *testing.T) {
	t.Parallel()
	client := egress.NewClient(nil)
	for _, host := range special {
		t.Run(host, func(t *testing.T) {
			t.Parallel()
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+host+":1/", nil)
			require.NoError(t, err)
			res, err := client.Do(req)
			if res != nil {
				require.NoError(t, res.Body.Close())
			}
			require.ErrorIs(t, err, egress.ErrDenied)
		})
	}
}

func TestRedirectToPrivateIsDenied(t *testing.T) {
	t.Parallel()
	inner := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(inner.Close)
	outer := httptest.NewServer(http.RedirectHandler("http://[::ffff:10.0.0.1]/", http.StatusFound))
	t.Cleanup(outer.Close)
	allow, err := egress.Parse("127.0.0.1, 10.9.0.0/16")
	require.NoError(t, err)
	require.NoError(t, get(t.Context(), egress.NewClient(allow), inner.URL))
	require.ErrorIs(t, get(t.Context(), egress.NewClient(allow), outer.URL), egress.ErrDenied)
}

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

func TestParse(t *testing.T) {
	t.Parallel()
	got, err := egress.Parse(" 10.1.2.3/8 ,::1,")
	require.NoError(t, err)
	require.Equal(t, []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128")}, got)
	_, err = egress.Parse("localhost")
	require.Error(t, err)
}
