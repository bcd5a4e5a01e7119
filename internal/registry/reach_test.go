package registry_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/dev/counterpart/authority"
	"steward/internal/auth/authtest"
	"steward/internal/config"
	"steward/internal/egress"
	"steward/internal/mcpclient"
	"steward/internal/oauth"
	"steward/internal/registry"
	"steward/internal/secret"
	"steward/internal/store"
	"steward/internal/storetest"
	"steward/internal/vault"
)

// house is what one process would have, with servers and their authorities on this machine.
type house struct {
	db       *store.DB
	consent  *oauth.Service
	registry *registry.Registry
}

const here = "http://127.0.0.1:9"

func newHouse(t *testing.T) *house {
	t.Helper()
	db := storetest.New(t)
	key, err := config.NewKey()
	require.NoError(t, err)
	ring, err := secret.NewRing(secret.New(key))
	require.NoError(t, err)
	log := slog.New(slog.DiscardHandler)
	exits := egress.New(egress.Rules{Everybody: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}})
	t.Cleanup(exits.Close)
	consent, err := oauth.New(db, ring, log, oauth.Options{PublicURL: here, LinkKey: authtest.Key(t), Transport: http.DefaultTransport, Remote: exits})
	require.NoError(t, err)
	secrets, err := vault.New(db, ring)
	require.NoError(t, err)
	r, err := registry.New(db, ring, consent, secrets, exits, registry.Options{}, log)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, r.Close(context.WithoutCancel(t.Context()))) })
	return &house{db: db, consent: consent, registry: r}
}

// add registers a server of owner; "" stands for an admin's.
func (h *house) add(t *testing.T, owner, address string) int64 {
	t.Helper()
	var id int64
	err := h.db.Pool.QueryRow(t.Context(), `INSERT INTO mcp_servers (owner, name, transport, url) VALUES (NULLIF($1, ''), 'remote', 'http', $2) RETURNING id`,
		owner, address).Scan(&id)
	require.NoError(t, err)
	return id
}

func (h *house) server(t *testing.T, id int64) *store.MCPServer {
	t.Helper()
	s, err := h.registry.Server(t.Context(), "alice", id)
	require.NoError(t, err)
	require.NotNil(t, s)
	return s
}

func (h *house) whoami(ctx context.Context, s *store.MCPServer) error {
	_, err := h.registry.Call(ctx, "alice", s, mcpclient.Call{Tool: "whoami", Arguments: json.RawMessage(`{}`)})
	return err
}

// consents lets alice consent to what a call was refused for.
func (h *house) consents(t *testing.T, need *oauth.ConsentError) oauth.Finished {
	t.Helper()
	begun, err := h.consent.Begin(t.Context(), oauth.Begin{Purpose: oauth.Connect, Owner: "alice", Provider: need.Provider, Scopes: need.Scopes})
	require.NoError(t, err)
	page := authority.NewBrowser(t).Open(t, begun.URL, func(u *url.URL) bool { return strings.HasPrefix(u.String(), here) })
	q := page.URL.Query()
	_, place, _ := strings.Cut(page.URL.Path, "/auth/mcp/callback/") // of the authority, which has registered us there
	done, err := h.consent.Finish(t.Context(), oauth.Callback{
		Provider: "mcp", Place: place, State: q.Get("state"), Code: q.Get("code"), Issuer: q.Get("iss"), Error: q.Get("error"), Browser: begun.Browser,
	})
	require.NoError(t, err, page.Body)
	return done
}

// needs is the consent that a call was refused for.
func needs(t *testing.T, err error) *oauth.ConsentError {
	t.Helper()
	need, ok := errors.AsType[*oauth.ConsentError](err)
	require.True(t, ok, "%v", err)
	return need
}

// A server of which nothing is known refuses a call; who gives tokens for it is found out, and the call waits for a
// person. Then: 50 refusals at once, one refresh; a scope that is missing; an authority that moves.
func TestT19CallsOfAGuardedServer(t *testing.T) {
	t.Parallel()
	as := authority.Start(t, authority.Options{})
	guarded := authority.Guard(t, as)
	h := newHouse(t)
	id := h.add(t, "alice", guarded.URL) // her own: it gets its own authority's tokens

	need := needs(t, h.whoami(t.Context(), h.server(t, id)))
	require.Equal(t, oauth.ConsentError{Provider: oauth.Server(id), Reason: "remote is not connected"}, *need)
	require.Equal(t, oauth.Server(id), h.server(t, id).AuthProvider)
	require.Error(t, needs(t, h.registry.Ready(t.Context(), "alice", h.server(t, id))))
	h.consents(t, need)
	s := h.server(t, id)
	require.NoError(t, h.whoami(t.Context(), s))
	count, err := h.registry.Calibrate(t.Context(), "alice", s)
	require.NoError(t, err)
	require.Equal(t, 1, count)

	before, err := h.consent.Credential(t.Context(), "alice", need.Provider)
	require.NoError(t, err)
	guarded.Refuse()
	errs := make([]error, 50)
	var all sync.WaitGroup
	for i := range errs {
		all.Go(func() { errs[i] = h.whoami(t.Context(), s) })
	}
	all.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
	require.Equal(t, 2, guarded.Tokens(), "one refresh")
	require.Equal(t, 51, guarded.Calls(), "no call ran twice")

	guarded.Need("mcp:admin")
	need = needs(t, h.whoami(t.Context(), s))
	require.Equal(t, []string{"mcp:admin"}, need.Scopes)
	require.Greater(t, need.Version, before.Version)
	done := h.consents(t, need)
	require.ElementsMatch(t, []string{"mcp:tools", "mcp:admin"}, done.Credential.Scopes)
	require.NoError(t, h.whoami(t.Context(), s))
	require.Equal(t, 52, guarded.Calls())

	other := authority.Start(t, authority.Options{})
	guarded.Move(t, other)
	need = needs(t, h.whoami(t.Context(), s)) // the old authority renews, the server does not take it
	require.Contains(t, need.Reason, "moved")
	need.Scopes = []string{"mcp:admin"}
	h.consents(t, need)
	require.NoError(t, h.whoami(t.Context(), s))
	require.Equal(t, 53, guarded.Calls())
}

// T-17: what callers of ours bring, and what an admin has set for the server, never goes along with the user's own
// token.
func TestT17OAuthBeatsAStaticAuthorization(t *testing.T) {
	t.Parallel()
	as := authority.Start(t, authority.Options{})
	guarded := authority.Guard(t, as)
	h := newHouse(t)
	id := h.add(t, "", guarded.URL)
	h.consents(t, needs(t, h.whoami(t.Context(), h.server(t, id))))
	s := *h.server(t, id)
	require.NoError(t, h.whoami(t.Context(), &s))
	require.NotContains(t, guarded.Bearers()[1:], "", "a token with every request after the first refusal")
	for _, header := range slices.Compact(guarded.Bearers()) {
		require.NotContains(t, header, ",")
	}
}

// A server that says nothing of OAuth is not made one that wants it by a call that it refuses; connecting it by hand
// looks further, and says what stands in the way.
func TestRefusalWithoutOAuth(t *testing.T) {
	t.Parallel()
	plain := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && r.URL.Path == "/mcp" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		http.NotFound(w, r)
	}))
	t.Cleanup(plain.Close)
	h := newHouse(t)
	id := h.add(t, "", plain.URL+"/mcp")
	err := h.whoami(t.Context(), h.server(t, id))
	refused, ok := errors.AsType[*mcpclient.Error](err)
	require.True(t, ok, "%v", err)
	require.Equal(t, http.StatusUnauthorized, refused.Status)
	require.Empty(t, h.server(t, id).AuthProvider)
	_, err = h.registry.Calibrate(t.Context(), "alice", h.server(t, id))
	require.Error(t, needs(t, err))
	require.Error(t, h.consent.Prepare(t.Context(), "alice", id), "nobody registers us there")
	require.Empty(t, h.server(t, id).AuthProvider, "before it has given tokens")
}
