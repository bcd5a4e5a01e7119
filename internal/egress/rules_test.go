package egress_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/egress"
)

func TestParse(t *testing.T) {
	t.Parallel()
	got, err := egress.Parse([]string{" 10.1.2.3/8 ", "::1", "", "alice=192.168.1.5", "alice = fd00::/8", "auth0|42=a=10.0.0.5"})
	require.NoError(t, err)
	require.Equal(t, egress.Rules{
		Everybody: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128")},
		Own: map[string][]netip.Prefix{
			"alice":      {netip.MustParsePrefix("192.168.1.5/32"), netip.MustParsePrefix("fd00::/8")},
			"auth0|42=a": {netip.MustParsePrefix("10.0.0.5/32")},
		},
	}, got)
	got, err = egress.Parse(nil)
	require.NoError(t, err)
	require.Equal(t, egress.Rules{}, got)
	for _, bad := range []string{
		"localhost", "alice", "alice=", "=10.0.0.1", "alice=db.internal", "10.0.0.1=alice", "10.0.0.0/33", "fe80::1%eth0", "::ffff:10.0.0.1", "::ffff:10.0.0.0/104",
	} {
		_, err := egress.Parse([]string{"10.0.0.1", bad})
		require.Error(t, err, bad)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("10.0.0.0/8", "10.0.0.1")
	f.Add("alice=::1", "::1")
	f.Fuzz(func(t *testing.T, item, addr string) {
		a, err := netip.ParseAddr(addr)
		rules, failed := egress.Parse([]string{item})
		if err != nil || failed != nil {
			return
		}
		exits := egress.New(rules)
		if len(rules.Everybody) == 0 { // somebody's own: nobody else's
			require.False(t, exits.Of("").Allows(a))
		}
		for owner := range rules.Own {
			require.NotEmpty(t, owner)
			require.False(t, exits.Of(owner+"x").Allows(a))
		}
	})
}
