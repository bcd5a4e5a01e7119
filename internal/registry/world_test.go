package registry_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"

	"steward/internal/auth"
	"steward/internal/config"
	"steward/internal/egress"
	"steward/internal/idempotency"
	"steward/internal/registry"
	"steward/internal/secret"
	"steward/internal/store"
	"steward/internal/storetest"
	"steward/internal/vault"
)

// world is a database with the registry of one process over it.
type world struct {
	t    *testing.T
	db   *store.DB
	ring *secret.Ring
	*registry.Registry

	rules egress.Rules
	vault *vault.Vault
}

// newWorld is one whose users reach servers on this machine.
func newWorld(t *testing.T) *world {
	t.Helper()
	return newWorldWith(t, egress.Rules{Everybody: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}})
}

func newWorldWith(t *testing.T, rules egress.Rules) *world {
	t.Helper()
	key, err := config.NewKey()
	require.NoError(t, err)
	ring, err := secret.NewRing(secret.New(key))
	require.NoError(t, err)
	w := &world{t: t, db: storetest.New(t), ring: ring, rules: rules}
	w.Registry, w.vault = w.process()
	return w
}

// process is the registry of another process over the same database.
func (w *world) process() (*registry.Registry, *vault.Vault) {
	w.t.Helper()
	v, err := vault.New(w.db, w.ring)
	require.NoError(w.t, err)
	exits := egress.New(w.rules)
	w.t.Cleanup(exits.Close)
	r, err := registry.New(w.db, w.ring, &wallet{}, v, exits, registry.Options{}, slog.New(slog.DiscardHandler))
	require.NoError(w.t, err)
	w.t.Cleanup(func() { require.NoError(w.t, r.Close(context.WithoutCancel(w.t.Context()))) })
	return r, v
}

func user(name string) auth.Principal {
	return auth.Principal{Owner: name, Actor: name, Role: auth.User, Scopes: auth.User.Scopes(), Kind: auth.JWT}
}

func admin() auth.Principal { return adminNamed("root") }

func adminNamed(name string) auth.Principal {
	return auth.Principal{Owner: name, Actor: name, Role: auth.Admin, Scopes: auth.Admin.Scopes(), Kind: auth.JWT}
}

// add registers a server, and fails the test if that fails.
func (w *world) add(p auth.Principal, s registry.Server) *store.MCPServer {
	w.t.Helper()
	row, replayed, err := w.Add(w.t.Context(), p, s, idempotency.Once{})
	require.NoError(w.t, err)
	require.False(w.t, replayed)
	return row
}

// shop is a real MCP server over HTTP whose tools can be changed, and which remembers the headers that it got.
type shop struct {
	*httptest.Server
	mcp     *mcp.Server
	mu      sync.Mutex
	headers []http.Header
}

func newShop(t *testing.T, tools ...*mcp.Tool) *shop {
	t.Helper()
	s := &shop{mcp: mcp.NewServer(&mcp.Implementation{Name: "shop", Version: "1"}, nil)}
	for _, tool := range tools {
		s.offer(tool)
	}
	handler := mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return s.mcp }, nil)
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.headers = append(s.headers, r.Header.Clone())
		s.mu.Unlock()
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	t.Cleanup(s.CloseClientConnections)
	return s
}

// offer adds a tool, or replaces the one of that name. It answers with the headers that the call came with.
func (s *shop) offer(tool *mcp.Tool) {
	if tool.InputSchema == nil {
		tool.InputSchema = map[string]any{"type": "object"}
	}
	s.mcp.AddTool(tool, func(_ context.Context, r *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		text := "token " + r.Extra.Header.Get("X-Figma-Token")
		return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: text}}}, nil
	})
}

// got says whether a request came with the value.
func (s *shop) got(name, value string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, h := range s.headers {
		if h.Get(name) == value {
			return true
		}
	}
	return false
}

func (s *shop) server(name string) registry.Server {
	return registry.Server{Name: name, Transport: "http", URL: s.URL}
}

// own adds a server of the user's alone, at an address that only an admin may name.
func (w *world) own(owner string, s registry.Server) *store.MCPServer {
	s.Private = true
	return w.add(adminNamed(owner), s)
}

func tool(name, description string) *mcp.Tool { return &mcp.Tool{Name: name, Description: description} }

// opened is the environment that is sealed for a server.
func (w *world) opened(s *store.MCPServer) map[string]secret.String {
	w.t.Helper()
	owner := "(admin)"
	if s.Owner != nil {
		owner = *s.Owner
	}
	plain, err := w.ring.Open(secret.Binding{Owner: owner, Purpose: "server.env", Ref: s.Name}, s.EnvSealed)
	require.NoError(w.t, err)
	var values map[string]string
	require.NoError(w.t, json.Unmarshal(plain, &values))
	out := map[string]secret.String{}
	for name, v := range values {
		out[name] = secret.New(v)
	}
	return out
}
