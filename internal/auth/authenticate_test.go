package auth_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/auth"
	"steward/internal/auth/authtest"
	"steward/internal/fault"
	"steward/internal/secret"
	"steward/internal/store"
	"steward/internal/storetest"
)

type fixture struct {
	options auth.TokenOptions
	keys    *auth.Keys
	auth    *auth.Authenticator
	db      *store.DB
	pepper  secret.String
}

func setUp(t *testing.T) fixture {
	t.Helper()
	f := fixture{options: authtest.Options(t), db: storetest.New(t), pepper: authtest.Key(t)}
	f.keys, f.auth = f.process(t)
	return f
}

// process makes what a second process on the same database would have.
func (f fixture) process(t *testing.T) (*auth.Keys, *auth.Authenticator) {
	t.Helper()
	keys, err := auth.NewKeys(f.db.Queries, f.pepper, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	a, err := auth.New(tokens(t, f.options), keys, f.db.Queries)
	require.NoError(t, err)
	return keys, a
}

func (f fixture) key(t *testing.T, g auth.KeyGrant) (string, auth.Key) {
	t.Helper()
	if g.Name == "" {
		g.Name, g.CreatedBy = "test", "admin"
	}
	if g.Role == "" {
		g.Role = auth.Service
	}
	text, key, err := f.keys.Create(t.Context(), g)
	require.NoError(t, err)
	return text.Reveal(), key
}

func TestBearer(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	header := "Bearer " + authtest.Token(t, f.options, "alice", auth.User)
	p, err := f.auth.Authenticate(t.Context(), header, "", "")
	require.NoError(t, err)
	require.Equal(t, "alice", p.Owner)
	_, err = f.auth.Authenticate(t.Context(), "bearer"+header[6:], "", "alice")
	require.NoError(t, err, "the scheme's case does not matter (RFC 9110 §11.1)")
	_, err = f.auth.Authenticate(t.Context(), header, "", "bob")
	require.Equal(t, auth.CodeOwnerMismatch, fault.CodeOf(err))

	_, err = f.auth.Authenticate(t.Context(), "", "", "alice")
	require.Equal(t, auth.CodeUnauthenticated, fault.CodeOf(err))
	for _, wrong := range []string{"Basic YTpi", "Bearer", "Bearer ", header[7:], "Bearer  " + header[7:], header + " "} {
		_, err = f.auth.Authenticate(t.Context(), wrong, "", "")
		require.Equal(t, auth.CodeInvalidToken, fault.CodeOf(err), wrong)
	}

	s, err := f.auth.Session(t.Context(), secret.New(header[7:]), "")
	require.NoError(t, err)
	require.Equal(t, auth.Session, s.Kind)
}

func TestLogout(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	header := "Bearer " + authtest.Token(t, f.options, "alice", auth.User)
	p, err := f.auth.Authenticate(t.Context(), header, "", "")
	require.NoError(t, err)
	require.NoError(t, f.auth.Logout(t.Context(), p))
	require.NoError(t, f.auth.Logout(t.Context(), p), "twice is as good as once")
	_, err = f.auth.Authenticate(t.Context(), header, "", "")
	require.Equal(t, auth.CodeInvalidToken, fault.CodeOf(err), "at once, although the token was known to be good")
	_, other := f.process(t)
	_, err = other.Authenticate(t.Context(), header, "", "")
	require.Equal(t, auth.CodeInvalidToken, fault.CodeOf(err), "in another process too")
	_, err = other.Authenticate(t.Context(), "Bearer "+authtest.Token(t, f.options, "alice", auth.User), "", "")
	require.NoError(t, err, "another token of the same user is not affected")

	n, err := f.auth.ForgetExpired(t.Context())
	require.NoError(t, err)
	require.Zero(t, n, "the token would still be good")
	p.Expires, p.TokenID = time.Now().Add(-time.Hour), "old"
	require.NoError(t, f.auth.Logout(t.Context(), p))
	n, err = f.auth.ForgetExpired(t.Context())
	require.NoError(t, err)
	require.Equal(t, int64(1), n)
}

func TestAPIKey(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	text, key := f.key(t, auth.KeyGrant{Tenants: []string{"alice", "bob"}, Scopes: []auth.Scope{auth.RunsRead, auth.RunsExecute}})
	p, err := f.auth.Authenticate(t.Context(), "", text, "bob")
	require.NoError(t, err)
	require.Equal(t, "bob", p.Owner)
	require.Equal(t, "apikey:"+key.ID, p.Actor)
	require.Equal(t, auth.APIKey, p.Kind)
	require.Equal(t, key.ID, p.TokenID)
	require.True(t, p.Can(auth.RunsExecute))
	require.False(t, p.Can(auth.ToolsCall))
	for _, owner := range []string{"", "carol", "*"} {
		_, err = f.auth.Authenticate(t.Context(), "", text, owner)
		require.Equal(t, auth.CodeTenantForbidden, fault.CodeOf(err), owner)
	}
	require.True(t, fault.Is(f.auth.Logout(t.Context(), p), fault.Forbidden))

	all, _ := f.key(t, auth.KeyGrant{Tenants: []string{auth.AnyTenant}})
	p, err = f.auth.Authenticate(t.Context(), "", all, "")
	require.NoError(t, err)
	require.Equal(t, auth.DefaultOwner, p.Owner)
	require.False(t, p.Can(auth.RunsApprove), "an API key never approves (T-47)")

	_, err = f.auth.Authenticate(t.Context(), "Bearer "+authtest.Token(t, f.options, "alice", auth.User), text, "alice")
	require.Equal(t, auth.CodeInvalidToken, fault.CodeOf(err), "two credentials are none")
}

func TestBadAPIKeysLookAlike(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	text, _ := f.key(t, auth.KeyGrant{Tenants: []string{"alice"}})
	other, _ := f.key(t, auth.KeyGrant{Tenants: []string{"alice"}})
	revoked, gone := f.key(t, auth.KeyGrant{Tenants: []string{"alice"}})
	_, err := f.auth.Authenticate(t.Context(), "", revoked, "alice")
	require.NoError(t, err)
	require.NoError(t, f.keys.Revoke(t.Context(), gone.ID))
	require.NoError(t, f.keys.Revoke(t.Context(), gone.ID))
	require.True(t, fault.Is(f.keys.Revoke(t.Context(), "nosuchkey"), fault.NotFound))
	expired, _ := f.key(t, auth.KeyGrant{Tenants: []string{"alice"}, TTL: time.Nanosecond})
	foreign := setUp(t)
	unknown, _ := foreign.key(t, auth.KeyGrant{Tenants: []string{"alice"}})

	for name, wrong := range map[string]string{
		"revoked": revoked, "expired": expired, "unknown": unknown, "typing error": strings.Replace(text, text[20:21], "~", 1),
		"SQL": "' OR '1'='1", "quote in place of the id": "mk_'; DROP TABLE" + text[16:], "a token": "eyJ.eyJ.x",
		"id of one, secret of another": text[:16] + other[16:],
	} {
		_, err := f.auth.Authenticate(t.Context(), "", wrong, "alice")
		require.Equal(t, auth.CodeInvalidToken, fault.CodeOf(err), name)
		shown, _ := err.(*fault.Error) //nolint:errorlint // Authenticate returns the fault itself
		require.Equal(t, "the credential is not valid", shown.Msg)
	}
	_, again := f.process(t)
	_, err = again.Authenticate(t.Context(), "", revoked, "alice")
	require.Error(t, err, "in another process too")
}

// With another pepper, or with what the database alone knows, nobody gets in.
func TestOnlyADigestIsStored(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	text, key := f.key(t, auth.KeyGrant{Tenants: []string{"alice"}})
	row, err := f.db.GetAPIKey(t.Context(), key.ID)
	require.NoError(t, err)
	require.Len(t, row.MAC, 32)
	require.False(t, bytes.Contains(row.MAC, []byte(text[16:24])))
	f.pepper = authtest.Key(t)
	_, other := f.process(t)
	_, err = other.Authenticate(t.Context(), "", text, "alice")
	require.Equal(t, auth.CodeInvalidToken, fault.CodeOf(err))
}

func TestLastUseIsWrittenOnceAMinute(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	text, key := f.key(t, auth.KeyGrant{Tenants: []string{"alice"}})
	require.Nil(t, key.LastUsed)
	use := func() time.Time {
		_, fresh := f.process(t) // without anything remembered
		_, err := fresh.Authenticate(t.Context(), "", text, "alice")
		require.NoError(t, err)
		list, err := f.keys.List(t.Context())
		require.NoError(t, err)
		require.Len(t, list, 1)
		require.NotNil(t, list[0].LastUsed)
		return *list[0].LastUsed
	}
	first := use()
	require.WithinDuration(t, time.Now(), first, time.Minute)
	require.Equal(t, first, use(), "not written again")
	_, err := f.db.Pool.Exec(t.Context(), "UPDATE api_keys SET last_used_at = now() - interval '2 minutes'")
	require.NoError(t, err)
	require.WithinDuration(t, first, use(), time.Minute, "written again after a minute")
}

func TestCreateRefuses(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	good := auth.KeyGrant{Name: "ci", Role: auth.Service, Tenants: []string{"alice"}, CreatedBy: "admin"}
	for location, change := range map[string]func(g *auth.KeyGrant){
		"name": func(g *auth.KeyGrant) { g.Name = "" }, "created_by": func(g *auth.KeyGrant) { g.CreatedBy = "" },
		"role": func(g *auth.KeyGrant) { g.Role = auth.Admin }, "ttl": func(g *auth.KeyGrant) { g.TTL = auth.MaxKeyTTL + 1 },
		"tenants": func(g *auth.KeyGrant) { g.Tenants = []string{"alice", "*"} },
		"scopes":  func(g *auth.KeyGrant) { g.Scopes = []auth.Scope{auth.RunsApprove} },
	} {
		g := good
		change(&g)
		_, _, err := f.keys.Create(t.Context(), g)
		require.True(t, fault.Is(err, fault.Invalid), location)
		require.Equal(t, location, err.(*fault.Error).Fields[0].Location) //nolint:errorlint // Create returns the fault itself
	}
	for _, tenants := range [][]string{nil, {""}, {"a\nb"}} {
		g := good
		g.Tenants = tenants
		_, _, err := f.keys.Create(t.Context(), g)
		require.True(t, fault.Is(err, fault.Invalid))
	}
}

// While nothing can be looked up nobody is let in, and the answer says that it is our fault.
func TestDatabaseAway(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	text, _ := f.key(t, auth.KeyGrant{Tenants: []string{"alice"}})
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := f.auth.Authenticate(gone, "", text, "alice")
	require.True(t, fault.Is(err, fault.Unavailable))
	_, err = f.auth.Authenticate(gone, "Bearer "+authtest.Token(t, f.options, "alice", auth.User), "", "")
	require.True(t, fault.Is(err, fault.Unavailable))
}

func TestConstructorsCheck(t *testing.T) {
	t.Parallel()
	_, err := auth.New(nil, nil, nil)
	require.Error(t, err)
	_, err = auth.NewKeys(nil, authtest.Key(t), slog.Default())
	require.Error(t, err)
	_, err = auth.NewKeys(&store.Queries{}, secret.New("short"), slog.Default())
	require.Equal(t, secret.CodeWeakKey, fault.CodeOf(err))
}
