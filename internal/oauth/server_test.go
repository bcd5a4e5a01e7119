package oauth_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/dev/counterpart/authority"
	"steward/internal/egress"
	"steward/internal/fault"
	"steward/internal/oauth"
	"steward/internal/secret"
	"steward/internal/store"
)

// outward reaches this machine, as an operator may allow.
func outward(t testing.TB) func(o *oauth.Options) {
	t.Helper()
	exits := egress.New(egress.Rules{Everybody: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}})
	t.Cleanup(exits.Close)
	return func(o *oauth.Options) { o.Remote = exits }
}

// addServer registers a remote server of owner; "" stands for an admin's.
func (s *site) addServer(t testing.TB, owner, address string) int64 {
	t.Helper()
	var id int64
	err := s.db.Pool.QueryRow(t.Context(), `INSERT INTO mcp_servers (owner, name, transport, url) VALUES (NULLIF($1, ''), 'remote ' || gen_random_uuid(), 'http', $2) RETURNING id`,
		owner, address).Scan(&id)
	require.NoError(t, err)
	return id
}

// challenge is what a server says to a caller without a token.
func challenge(t testing.TB, address string) []string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader("{}"))
	require.NoError(t, err)
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, http.StatusUnauthorized, res.StatusCode)
	return res.Header.Values("WWW-Authenticate")
}

// atServer brings a token to a server and returns what it says.
func atServer(ctx context.Context, address string, token secret.String) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{}}`))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", "Bearer "+token.Reveal())
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json, text/event-stream")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	_, err = io.Copy(io.Discard, res.Body)
	return res.StatusCode, errors.Join(err, res.Body.Close())
}

// From a server's refusal to its tokens, at an authorization server that is not ours: discovery, registration,
// consent, exchange, refresh with rotation, revocation.
func TestServerFromRefusalToRevocation(t *testing.T) {
	t.Parallel()
	as := authority.Start(t, authority.Options{})
	guarded := authority.Guard(t, as)
	site := newSite(t)
	s := site.process(t, site.db, local(t), outward(t))
	id := site.addServer(t, "", guarded.URL)
	name := oauth.Server(id)

	_, _, err := s.Token(t.Context(), "alice", name)
	need, ok := errors.AsType[*oauth.ConsentError](err)
	require.True(t, ok, "%v", err)
	require.Equal(t, name, need.Provider)

	found, err := s.Calibrate(t.Context(), oauth.Resource{Server: id, URL: guarded.URL, Challenge: challenge(t, guarded.URL)})
	require.NoError(t, err)
	require.Equal(t, oauth.Authority{Provider: name, Issuer: as.URL, Resource: guarded.URL, Scopes: []string{"mcp:tools", "offline_access"}}, found)
	require.NoError(t, s.Prepare(t.Context(), "alice", id))

	done, err := s.Finish(t.Context(), consentsLocal(t, s, "alice", name))
	require.NoError(t, err)
	require.Equal(t, "alice", done.Owner)
	require.Equal(t, []string{"mcp:tools"}, done.Credential.Scopes)
	token, version, err := s.Token(t.Context(), "alice", name)
	require.NoError(t, err)
	status, err := atServer(t.Context(), guarded.URL, token)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status)

	before := site.credentialOf(t, "alice", name)
	token, later, err := s.Refresh(t.Context(), "alice", name, version)
	require.NoError(t, err)
	require.Greater(t, later, version)
	require.NotEqual(t, before.RefreshSealed, site.credentialOf(t, "alice", name).RefreshSealed, "rotated")
	status, err = atServer(t.Context(), guarded.URL, token)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status)
	_, _, err = s.Refresh(t.Context(), "alice", name, later)
	require.NoError(t, err, "with the rotated one")

	_, _, err = s.Token(t.Context(), "bob", name)
	_, ok = errors.AsType[*oauth.ConsentError](err)
	require.True(t, ok, "somebody else has consented to nothing")
	require.NoError(t, s.Disconnect(t.Context(), "alice", name, "alice"))
	require.Equal(t, true, site.last(t, "credential.revoked")["confirmed"])
	var clients int
	require.NoError(t, site.db.Pool.QueryRow(t.Context(), "SELECT count(*) FROM oauth_clients").Scan(&clients))
	require.Equal(t, 1, clients, "registered once")
}

// local makes callbacks lead to this machine: a real server takes http from nobody else.
func local(t testing.TB) func(o *oauth.Options) {
	t.Helper()
	return func(o *oauth.Options) { o.PublicURL = localURL }
}

const localURL = "http://127.0.0.1:9"

func consentsLocal(t testing.TB, s *oauth.Service, owner, name string) oauth.Callback {
	t.Helper()
	begun, err := s.Begin(t.Context(), oauth.Begin{Purpose: oauth.Connect, Owner: owner, Provider: name})
	require.NoError(t, err)
	page := authority.NewBrowser(t).Open(t, begun.URL, func(u *url.URL) bool { return strings.HasPrefix(u.String(), localURL) })
	require.Equal(t, query(t, begun.URL).Get("redirect_uri"), localURL+page.URL.Path, page.Body)
	q := page.URL.Query()
	return oauth.Callback{Provider: "mcp", Place: place(t, begun.URL), State: q.Get("state"), Code: q.Get("code"), Issuer: q.Get("iss"), Error: q.Get("error"), Browser: begun.Browser}
}

// place is where the answer to an authorization request goes, below the callback of remote servers.
func place(t testing.TB, address string) string {
	t.Helper()
	u, err := url.Parse(query(t, address).Get("redirect_uri"))
	require.NoError(t, err)
	below, found := strings.CutPrefix(u.Path, "/auth/mcp/callback")
	require.True(t, found, u.Path)
	return strings.TrimPrefix(below, "/")
}

func (s *site) credentialOf(t testing.TB, owner, name string) *store.Credential {
	t.Helper()
	row, err := s.db.GetCredential(t.Context(), store.GetCredentialParams{Owner: owner, Provider: name})
	require.NoError(t, err)
	return row
}

// A client that somebody has registered is used; an authorization server without registration says so before any
// browser is sent there.
func TestServerOfWhichTheClientIsGiven(t *testing.T) {
	t.Parallel()
	as := authority.Start(t, authority.Options{Closed: true, Clients: []authority.Client{{ID: "by hand", Secret: "of them", Redirect: localURL + "/auth/mcp/callback"}}})
	guarded := authority.Guard(t, as)
	site := newSite(t)
	s := site.process(t, site.db, local(t), outward(t))
	id := site.addServer(t, "", guarded.URL)
	name := oauth.Server(id)
	_, err := s.Calibrate(t.Context(), oauth.Resource{Server: id, URL: guarded.URL, Challenge: challenge(t, guarded.URL)})
	require.NoError(t, err)
	require.Equal(t, oauth.CodeClientRequired, fault.CodeOf(s.Prepare(t.Context(), "alice", id)))

	given := oauth.Given{Server: id, Owner: "alice", Actor: "alice", ClientID: "by hand", ClientSecret: secret.New("of them")}
	require.NoError(t, s.Give(t.Context(), given))
	require.NoError(t, s.Prepare(t.Context(), "alice", id))
	require.Equal(t, oauth.CodeClientRequired, fault.CodeOf(s.Prepare(t.Context(), "bob", id)), "it is alice's")
	given.Shared = true
	require.NoError(t, s.Give(t.Context(), given))
	require.NoError(t, s.Prepare(t.Context(), "bob", id))

	done, err := s.Finish(t.Context(), consentsLocal(t, s, "alice", name))
	require.NoError(t, err)
	_, _, err = s.Refresh(t.Context(), "alice", name, done.Credential.Version)
	require.NoError(t, err)
}

// Seed 001: tokens that somebody else got are stored, used and renewed by the client that they were given to.
func TestGivenTokens(t *testing.T) {
	t.Parallel()
	fake := newFake(t)
	site := newSite(t)
	s := site.process(t, site.db, outward(t))
	id := site.addServer(t, "alice", fake.URL+"/mcp")
	name := oauth.Server(id)
	given := oauth.Given{
		Server: id, Owner: "alice", Actor: "apikey:1", TokenType: "bearer", Access: secret.New("at 0"), Refresh: secret.New(fake.first()),
		ExpiresIn: time.Hour, Scopes: []string{"read", "write"}, ClientID: "theirs", ClientSecret: secret.New("hush"),
	}
	require.NoError(t, s.Give(t.Context(), given))
	token, version, err := s.Token(t.Context(), "alice", name)
	require.NoError(t, err)
	require.Equal(t, "at 0", token.Reveal())
	require.Zero(t, fake.asked())
	_, _, err = s.Refresh(t.Context(), "alice", name, version)
	require.NoError(t, err)
	last := fake.lastForm()
	require.Equal(t, fake.URL+"/mcp", last.Get("resource"))
	require.Equal(t, []string{"read", "write"}, site.credentialOf(t, "alice", name).Scopes)

	given.TokenType = "mac"
	require.True(t, fault.Is(s.Give(t.Context(), given), fault.Invalid))
	given.TokenType, given.Owner = "", "mallory"
	require.True(t, fault.Is(s.Give(t.Context(), given), fault.NotFound), "T-16: somebody else's server")
	_, _, err = s.Token(t.Context(), "mallory", name)
	require.Error(t, err)
}

// T-16, T-18: tokens belong to one resource at one issuer. A server that moves, or names another authorization
// server, never gets those of before.
func TestT16TokensStayWhereTheyWereGiven(t *testing.T) {
	t.Parallel()
	fake, other := newFake(t), newFake(t)
	site := newSite(t)
	s := site.process(t, site.db, outward(t))
	id := site.addServer(t, "alice", fake.URL+"/mcp")
	name := oauth.Server(id)
	require.NoError(t, s.Give(t.Context(), oauth.Given{Server: id, Owner: "alice", Actor: "alice", Access: secret.New("at"), ClientID: "theirs"}))
	_, version, err := s.Token(t.Context(), "alice", name)
	require.NoError(t, err)
	lost := func(why string) {
		t.Helper()
		_, _, err := s.Token(t.Context(), "alice", name)
		_, ok := errors.AsType[*oauth.ConsentError](err)
		require.True(t, ok, "%s: %v", why, err)
		_, _, err = s.Refresh(t.Context(), "alice", name, version)
		_, ok = errors.AsType[*oauth.ConsentError](err)
		require.True(t, ok, "%s: %v", why, err)
	}
	_, err = site.db.Pool.Exec(t.Context(), "UPDATE mcp_servers SET url = $2 WHERE id = $1", id, other.URL+"/mcp")
	require.NoError(t, err)
	lost("another URL, of which nothing is known yet")
	_, err = s.Calibrate(t.Context(), oauth.Resource{Server: id, URL: other.URL + "/mcp"})
	require.NoError(t, err)
	lost("another URL")

	_, err = site.db.Pool.Exec(t.Context(), "UPDATE mcp_servers SET url = $2 WHERE id = $1", id, fake.URL+"/mcp")
	require.NoError(t, err)
	fake.name(other.URL)
	_, err = s.Calibrate(t.Context(), oauth.Resource{Server: id, URL: fake.URL + "/mcp"})
	require.NoError(t, err)
	lost("another issuer")
	require.Zero(t, fake.asked()+other.asked())

	_, err = s.Calibrate(t.Context(), oauth.Resource{Server: id, URL: other.URL + "/mcp"})
	require.True(t, fault.Is(err, fault.NotFound), "not its URL any more")
}

// Two flows that begin at once register once, so that both can end.
func TestOneRegistrationOfMany(t *testing.T) {
	t.Parallel()
	fake := newFake(t)
	site := newSite(t)
	id := site.addServer(t, "", fake.URL+"/mcp")
	processes := []*oauth.Service{site.process(t, site.db, outward(t)), site.process(t, site.db, outward(t))}
	clients := make([]string, 8)
	for _, err := range together(len(clients), func(i int) error {
		begun, err := processes[i%2].Begin(t.Context(), oauth.Begin{Purpose: oauth.Connect, Owner: "alice", Provider: oauth.Server(id)})
		clients[i] = query(t, begun.URL).Get("client_id")
		return err
	}) {
		require.NoError(t, err)
	}
	for _, c := range clients {
		require.Equal(t, clients[0], c)
	}
}

// An authorization server that has lost our registration gets another one at the next flow.
func TestForgottenRegistration(t *testing.T) {
	t.Parallel()
	fake := newFake(t)
	site := newSite(t)
	s := site.process(t, site.db, outward(t))
	id := site.addServer(t, "", fake.URL+"/mcp")
	connectFake(t, s, fake, id)
	before := site.credentialOf(t, "alice", oauth.Server(id))
	fake.refuse("invalid_client")
	_, _, err := s.Refresh(t.Context(), "alice", oauth.Server(id), before.Version)
	_, ok := errors.AsType[*oauth.ConsentError](err)
	require.True(t, ok, "%v", err)
	fake.refuse("")
	connectFake(t, s, fake, id)
	after := site.credentialOf(t, "alice", oauth.Server(id))
	require.NotEqual(t, before.ClientID, after.ClientID)
	_, _, err = s.Refresh(t.Context(), "alice", oauth.Server(id), after.Version)
	require.NoError(t, err)
}

// connectFake is a flow of alice's at a fake, which asks nobody.
func connectFake(t testing.TB, s *oauth.Service, fake *fakeAS, id int64) {
	t.Helper()
	begun, err := s.Begin(t.Context(), oauth.Begin{Purpose: oauth.Connect, Owner: "alice", Provider: oauth.Server(id)})
	require.NoError(t, err)
	_, err = s.Finish(t.Context(), oauth.Callback{Provider: "mcp", Place: place(t, begun.URL), State: query(t, begun.URL).Get("state"), Code: "code", Issuer: fake.URL, Browser: begun.Browser})
	require.NoError(t, err)
}

// A step-up asks for what is granted and what a call was missing.
func TestStepUpKeepsWhatIsGranted(t *testing.T) {
	t.Parallel()
	fake := newFake(t)
	site := newSite(t)
	s := site.process(t, site.db, outward(t))
	id := site.addServer(t, "", fake.URL+"/mcp")
	connectFake(t, s, fake, id)
	begun, err := s.Begin(t.Context(), oauth.Begin{Purpose: oauth.Connect, Owner: "alice", Provider: oauth.Server(id), Scopes: []string{"write"}})
	require.NoError(t, err)
	require.Equal(t, "read write", query(t, begun.URL).Get("scope"))
}
