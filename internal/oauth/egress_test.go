package oauth_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/egress"
	"steward/internal/fault"
	"steward/internal/oauth"
)

// T-08: an authorization server that one user may reach is of no use to another, whatever is known of it by then.
func TestT08AuthorityThatOneUserMayReach(t *testing.T) {
	t.Parallel()
	fake := newFake(t)
	site := newSite(t)
	exits := egress.New(egress.Rules{Own: map[string][]netip.Prefix{"alice": {netip.MustParsePrefix("127.0.0.1/32")}}})
	t.Cleanup(exits.Close)
	s := site.process(t, site.db, func(o *oauth.Options) { o.Remote = exits })
	id := site.addServer(t, "", fake.URL+"/mcp") // an admin's: both may call it
	denied := func(err error) {
		t.Helper()
		require.Equal(t, oauth.CodeEgressDenied, fault.CodeOf(err), "%v", err)
		require.NotContains(t, fault.Text(err), "127.0.0.1")
	}
	_, err := s.Calibrate(t.Context(), oauth.Resource{Owner: "bob", Server: id, URL: fake.URL + "/mcp"})
	denied(err)
	_, err = s.Calibrate(t.Context(), oauth.Resource{Server: id, URL: fake.URL + "/mcp"})
	denied(err)
	_, err = s.Calibrate(t.Context(), oauth.Resource{Owner: "alice", Server: id, URL: fake.URL + "/mcp"})
	require.NoError(t, err)

	denied(s.Prepare(t.Context(), "bob", id))
	_, err = s.Begin(t.Context(), oauth.Begin{Purpose: oauth.Connect, Owner: "bob", Provider: oauth.Server(id)})
	denied(err)
	consents(t, s, fake, "alice", id)

	before := site.process(t, site.db, outward(t)) // bob has connected it while everybody could
	version := consents(t, before, fake, "bob", id).Version
	asked := fake.asked()
	_, _, err = s.Refresh(t.Context(), "bob", oauth.Server(id), version)
	denied(err)
	require.Equal(t, asked, fake.asked(), "the token endpoint heard nothing of bob")
	lost, err := site.db.ListLostRefreshes(t.Context(), 0)
	require.NoError(t, err)
	require.Empty(t, lost, "a question that was never put is not put again")
	_, _, err = before.Refresh(t.Context(), "bob", oauth.Server(id), version)
	require.NoError(t, err)
}

// consents lets owner consent at the authority of a server.
func consents(t *testing.T, s *oauth.Service, as *fakeAS, owner string, server int64) oauth.Credential {
	t.Helper()
	begun, err := s.Begin(t.Context(), oauth.Begin{Purpose: oauth.Connect, Owner: owner, Provider: oauth.Server(server)})
	require.NoError(t, err)
	done, err := s.Finish(t.Context(), oauth.Callback{
		Provider: "mcp", Place: place(t, begun.URL), State: query(t, begun.URL).Get("state"), Code: "code", Issuer: as.URL, Browser: begun.Browser,
	})
	require.NoError(t, err)
	return done.Credential
}
