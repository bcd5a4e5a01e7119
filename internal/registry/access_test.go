package registry_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"

	"steward/internal/config"
	"steward/internal/egress"
	"steward/internal/fault"
	"steward/internal/mcpclient"
	"steward/internal/oauth"
	"steward/internal/registry"
	"steward/internal/secret"
	"steward/internal/store"
	"steward/internal/storetest"
	"steward/internal/vault"
)

// wallet keeps the tokens of one user; a refresh makes the next.
type wallet struct {
	mu        sync.Mutex
	version   int64
	expires   time.Time
	refreshes int
	gone      bool // the provider has ended the grant
}

func (w *wallet) token() (secret.String, int64, error) {
	if w.gone {
		return secret.String{}, 0, &oauth.ConsentError{Provider: "google", Reason: "consent again"}
	}
	return secret.New("canary-user-token-" + strings.Repeat("v", int(w.version))), w.version, nil
}

func (w *wallet) Token(context.Context, string, string) (secret.String, int64, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.token()
}

func (w *wallet) Refresh(_ context.Context, _, _ string, stale int64) (secret.String, int64, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if stale == w.version {
		w.version++
		w.refreshes++
	}
	return w.token()
}

func (w *wallet) Credential(context.Context, string, string) (*oauth.Credential, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return &oauth.Credential{Version: w.version, Expires: w.expires}, nil
}

// Calibrate is nobody's business where the servers' provider is known.
func (w *wallet) Calibrate(context.Context, oauth.Resource) (oauth.Authority, error) {
	return oauth.Authority{}, errors.New("not asked for")
}

// guarded is an MCP server that takes one token and repeats it in its answers.
type guarded struct {
	*httptest.Server
	mu    sync.Mutex
	takes string
	calls int
}

func newGuarded(t *testing.T, takes string) *guarded {
	g := &guarded{takes: takes}
	server := mcp.NewServer(&mcp.Implementation{Name: "guarded", Version: "1"}, nil)
	mcp.AddTool(server, &mcp.Tool{Name: "send", Description: "Send"}, func(_ context.Context, r *mcp.CallToolRequest, _ struct{}) (*mcp.CallToolResult, map[string]string, error) {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.calls++
		return nil, map[string]string{"sent_with": r.Extra.Header.Get("Authorization")}, nil
	})
	handler := mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return server }, nil)
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.mu.Lock()
		ok := r.Header.Get("Authorization") == "Bearer "+g.takes
		g.mu.Unlock()
		if !ok {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(g.Close)
	return g
}

func (g *guarded) only(token string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.takes = token
}

// newRegistry is a registry that may dial loopback, and a server there that wants the user's own token.
func newRegistry(t *testing.T, tokens registry.Tokens, url string) (*registry.Registry, *store.MCPServer, *store.DB) {
	t.Helper()
	db := storetest.New(t)
	key, err := config.NewKey()
	require.NoError(t, err)
	ring, err := secret.NewRing(secret.New(key))
	require.NoError(t, err)
	exits := egress.New(egress.Rules{Everybody: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}})
	secrets, err := vault.New(db, ring)
	require.NoError(t, err)
	r, err := registry.New(db, ring, tokens, secrets, exits, registry.Options{}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, r.Close(context.WithoutCancel(t.Context()))) })
	require.NoError(t, registry.Register(t.Context(), db.Queries, ring, registry.Server{
		ID: 5, Name: "docs", Transport: "http", URL: url, AuthProvider: "google", Headers: map[string]secret.String{"X-Api-Key": secret.New("static-key-4711")},
	}))
	row, err := r.Server(t.Context(), "alice", 5)
	require.NoError(t, err)
	return r, row, db
}

func send(t *testing.T, r *registry.Registry, s *store.MCPServer) (*mcpclient.Result, error) {
	t.Helper()
	return r.Call(t.Context(), "alice", s, mcpclient.Call{Tool: "send", Arguments: json.RawMessage(`{}`)})
}

func TestServersGetTheCallersOwnToken(t *testing.T) {
	t.Parallel()
	w := &wallet{version: 1}
	g := newGuarded(t, "canary-user-token-v")
	r, row, _ := newRegistry(t, w, g.URL)
	result, err := send(t, r, row)
	require.NoError(t, err)
	require.NotContains(t, string(result.Structured)+string(result.Content), "canary", "a server that repeats the token does not tell the model")
	require.Contains(t, string(result.Structured), "sent_with")

	g.only("canary-user-token-vv")
	_, err = send(t, r, row)
	require.NoError(t, err, "401 did nothing: the token is renewed and the call made")
	require.Equal(t, 1, w.refreshes)
	require.Equal(t, 2, g.calls, "once each")

	g.only("canary-nobody-has-this")
	_, err = send(t, r, row)
	var refused *mcpclient.Error
	require.ErrorAs(t, err, &refused)
	require.Equal(t, http.StatusUnauthorized, refused.Status)
	require.Equal(t, mcpclient.NotRun, refused.Ran)
	require.Equal(t, 2, w.refreshes, "renewed once, then it stands")
	require.Equal(t, 2, g.calls)
}

func TestServersWithoutConsent(t *testing.T) {
	t.Parallel()
	w := &wallet{gone: true}
	g := newGuarded(t, "x")
	r, row, _ := newRegistry(t, w, g.URL)
	var need *oauth.ConsentError
	require.ErrorAs(t, r.Ready(t.Context(), "alice", row), &need)
	_, err := send(t, r, row)
	require.ErrorAs(t, err, &need)
	_, err = r.Tools(t.Context(), "alice", row)
	require.ErrorAs(t, err, &need)
}

// A user's token goes where an admin said, never to a URL that a user has brought (security.md T-16).
func TestCredentialsDoNotGoToUsersOwnServers(t *testing.T) {
	t.Parallel()
	g := newGuarded(t, "canary-user-token-v")
	seen := 0
	spy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if slices.ContainsFunc(r.Header.Values("Authorization"), func(v string) bool { return v != "" }) {
			seen++
		}
		w.WriteHeader(http.StatusUnauthorized)
	}))
	t.Cleanup(spy.Close)
	r, row, _ := newRegistry(t, &wallet{version: 1}, g.URL)
	owner := "alice"
	own := *row
	own.ID, own.Owner, own.URL, own.HeadersSealed = 6, &owner, spy.URL, nil
	_, err := send(t, r, &own)
	require.Equal(t, "host_refused", fault.CodeOf(err))
	_, err = r.Lend(t.Context(), "alice", &own, time.Minute)
	require.Equal(t, "host_refused", fault.CodeOf(err))
	require.Zero(t, seen)
}

func TestLentTokensOutliveTheirUse(t *testing.T) {
	t.Parallel()
	w := &wallet{version: 1, expires: time.Now().Add(10 * time.Minute)}
	r, row, _ := newRegistry(t, w, "https://mcp.example.com/mcp")
	a, err := r.Lend(t.Context(), "alice", row, 15*time.Minute)
	require.NoError(t, err)
	require.Equal(t, "canary-user-token-vv", a.Bearer.Reveal())
	require.EqualValues(t, 2, a.Credential)
	require.Equal(t, "static-key-4711", a.Headers["X-Api-Key"].Reveal())
	w.expires = time.Now().Add(time.Hour)
	_, err = r.Lend(t.Context(), "alice", row, 15*time.Minute)
	require.NoError(t, err)
	require.Equal(t, 1, w.refreshes)
}
