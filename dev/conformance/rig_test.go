package conformance_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"

	"steward/api"
	"steward/api/mcp"
	"steward/internal/audit"
	"steward/internal/auth"
	"steward/internal/auth/authtest"
	"steward/internal/automation"
	"steward/internal/connector"
	"steward/internal/egress"
	"steward/internal/install"
	"steward/internal/oauth"
	"steward/internal/registry"
	"steward/internal/run"
	"steward/internal/secret"
	"steward/internal/store"
	"steward/internal/storetest"
	"steward/internal/tool"
	"steward/internal/vault"
)

// site is the whole edge over a real database, while Temporal is away, on an address of its own.
type site struct {
	url    string
	db     *store.DB
	tokens auth.TokenOptions
	runs   *run.Service
}

// newSite serves our own MCP server, or another one behind the same doors.
func newSite(t testing.TB, other *mcp.Server) *site {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	s := &site{db: storetest.New(t), tokens: authtest.Options(t)}
	ring, err := secret.NewRing(authtest.Key(t))
	require.NoError(t, err)
	keys, err := auth.NewKeys(s.db.Queries, authtest.Key(t), log)
	require.NoError(t, err)
	tokens, err := auth.NewTokens(s.tokens)
	require.NoError(t, err)
	authenticator, err := auth.New(tokens, keys, s.db.Queries)
	require.NoError(t, err)
	feed, err := audit.NewFeed(s.db, log)
	require.NoError(t, err)

	server := httptest.NewUnstartedServer(nil)
	s.url = "http://" + server.Listener.Addr().String()
	consent, err := oauth.New(s.db, ring, log, oauth.Options{PublicURL: s.url, LinkKey: authtest.Key(t), Transport: http.DefaultTransport})
	require.NoError(t, err)
	connections, err := connector.NewConnections(connector.Options{Credentials: consent})
	require.NoError(t, err)
	kept, err := vault.New(s.db, ring)
	require.NoError(t, err)
	servers, err := registry.New(s.db, ring, consent, kept, egress.New(egress.Rules{}), registry.Options{}, log)
	require.NoError(t, err)
	packages, err := install.New(s.db, ring, away{}, servers, log)
	require.NoError(t, err)
	executor, err := tool.NewExecutor(s.db, ring, servers, connections, log, tool.Options{})
	require.NoError(t, err)
	s.runs, err = run.New(s.db, ring, away{}, executor, connections, log, run.Options{
		Model: "offline-rules", Limits: automation.Limits{Steps: 40, Tokens: 1000, WallSeconds: 60}, QueueLimit: 1_000_000, InstructionsMax: 64 << 10,
	})
	require.NoError(t, err)
	t.Cleanup(s.runs.Close)

	closing := make(chan struct{})
	const plenty = 1_000_000
	server.Config.Handler, err = api.New(api.Deps{
		DB: s.db, Runs: s.runs, Authenticator: authenticator, Tokens: tokens, Tickets: tokens, Ring: ring, Codec: converter.NewZlibCodec(converter.ZlibCodecOptions{}),
		Consent: consent, Connections: connections, Executor: executor, Registry: servers, Packages: packages, Vault: kept, MCP: other, Feed: feed,
		Probes: []api.Probe{{Name: "postgres", Check: s.db.Pool.Ping}}, Log: log, PublicURL: s.url, Namespace: "default", MaxBody: 1 << 20, Closing: closing,
		Rates: api.Rates{Create: plenty, Read: plenty, APIKey: plenty, MCP: plenty, Calls: plenty, Login: plenty, Streams: plenty},
	})
	require.NoError(t, err)
	server.Start()
	t.Cleanup(func() {
		close(closing)
		server.Close()
	})
	return s
}

func (s *site) token(t testing.TB, user string, scopes ...auth.Scope) string {
	return authtest.Token(t, s.tokens, user, auth.User, scopes...)
}

// signedIn is the site's address for clients that have no token: a proxy adds alice's, and nothing else.
func (s *site) signedIn(t testing.TB) string {
	t.Helper()
	target, err := url.Parse(s.url)
	require.NoError(t, err)
	token := s.token(t, "alice")
	proxy := httptest.NewServer(&httputil.ReverseProxy{FlushInterval: -1, Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Host = r.In.Host
		r.Out.Header.Set("Authorization", "Bearer "+token)
	}})
	t.Cleanup(proxy.Close)
	return proxy.URL
}

// away is a Temporal that cannot be reached.
type away struct{ client.Client }

var errAway = errors.New("away")

func (away) ExecuteWorkflow(context.Context, client.StartWorkflowOptions, any, ...any) (client.WorkflowRun, error) {
	return nil, errAway
}
func (away) CancelWorkflow(context.Context, string, string) error { return errAway }
func (away) UpdateWorkflow(context.Context, client.UpdateWorkflowOptions) (client.WorkflowUpdateHandle, error) {
	return nil, errAway
}
