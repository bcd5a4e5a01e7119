package authority

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/modelcontextprotocol/go-sdk/auth"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/modelcontextprotocol/go-sdk/oauthex"
	"github.com/stretchr/testify/require"
)

// Guarded is an MCP server that takes tokens of its authority for itself alone. Its tool whoami needs the scope
// mcp:tools, as everything; tokens are refused once they were told to be.
type Guarded struct {
	URL string // of its MCP endpoint, which is its resource

	mu       sync.Mutex
	as       *Server
	verifier *oidc.IDTokenVerifier
	scope    string   // needed
	seen     []string // tokens
	refused  []string
	calls    int
	bearers  []string // Authorization headers, whatever they were
}

// Guard starts one until the test ends.
func Guard(t testing.TB, as *Server) *Guarded {
	t.Helper()
	g := &Guarded{scope: "mcp:tools"}
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(func() {
		server.CloseClientConnections() // streams of notifications, which Close would wait for
		server.Close()
	})
	g.URL = server.URL + "/mcp"
	g.Move(t, as)

	tools := mcp.NewServer(&mcp.Implementation{Name: "guarded", Version: "1"}, nil)
	mcp.AddTool(tools, &mcp.Tool{Name: "whoami"}, func(_ context.Context, r *mcp.CallToolRequest, _ struct{}) (*mcp.CallToolResult, any, error) {
		g.mu.Lock()
		g.calls++
		g.mu.Unlock()
		return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: r.Extra.TokenInfo.UserID}}}, nil, nil
	})
	metadata := server.URL + "/.well-known/oauth-protected-resource/mcp"
	handler := mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return tools }, &mcp.StreamableHTTPOptions{Stateless: true, JSONResponse: true})
	guard := auth.RequireBearerToken(g.verify, &auth.RequireBearerTokenOptions{ResourceMetadataURL: metadata})
	mux.Handle("/mcp", g.note(guard(g.enough(metadata, handler))))
	mux.HandleFunc("/.well-known/oauth-protected-resource/mcp", func(w http.ResponseWriter, r *http.Request) {
		g.mu.Lock()
		m := oauthex.ProtectedResourceMetadata{Resource: g.URL, AuthorizationServers: []string{g.as.URL}, ScopesSupported: []string{"mcp:tools"}}
		g.mu.Unlock()
		auth.ProtectedResourceMetadataHandler(&m).ServeHTTP(w, r)
	})
	return g
}

// note keeps what callers bring.
func (g *Guarded) note(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.mu.Lock()
		g.bearers = append(g.bearers, r.Header.Get("Authorization"))
		g.mu.Unlock()
		next.ServeHTTP(w, r)
	})
}

// enough refuses tokens without the scope as RFC 6750 §3.1 wants it.
func (g *Guarded) enough(metadata string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.mu.Lock()
		scope := g.scope
		g.mu.Unlock()
		if slices.Contains(auth.TokenInfoFromContext(r.Context()).Scopes, scope) {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("WWW-Authenticate", fmt.Sprintf("Bearer error=\"insufficient_scope\", scope=%q, resource_metadata=%q", scope, metadata))
		w.WriteHeader(http.StatusForbidden)
	})
}

func (g *Guarded) verify(ctx context.Context, token string, _ *http.Request) (*auth.TokenInfo, error) {
	g.mu.Lock()
	verifier, refused := g.verifier, slices.Contains(g.refused, token)
	g.mu.Unlock()
	if refused {
		return nil, fmt.Errorf("%w: told so", auth.ErrInvalidToken)
	}
	verified, err := verifier.Verify(ctx, token)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", auth.ErrInvalidToken, err)
	}
	var claims struct {
		Scope string `json:"scope"`
	}
	if err := verified.Claims(&claims); err != nil {
		return nil, fmt.Errorf("%w: %w", auth.ErrInvalidToken, err)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if !slices.Contains(g.seen, token) {
		g.seen = append(g.seen, token)
	}
	return &auth.TokenInfo{Scopes: strings.Fields(claims.Scope), Expiration: verified.Expiry, UserID: verified.Subject}, nil
}

// Move gives the server another authority: tokens of the old one are refused.
func (g *Guarded) Move(t testing.TB, as *Server) {
	t.Helper()
	provider, err := oidc.NewProvider(context.WithoutCancel(t.Context()), as.URL) // its keys are read as long as the test runs
	require.NoError(t, err)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.as, g.verifier = as, provider.Verifier(&oidc.Config{ClientID: g.URL})
}

// Need makes the server want another scope.
func (g *Guarded) Need(scope string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.scope = scope
}

// Refuse makes the server refuse every token that it has taken so far.
func (g *Guarded) Refuse() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.refused = slices.Clone(g.seen)
}

// Tokens is how many different ones it has taken.
func (g *Guarded) Tokens() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.seen)
}

// Calls is how often its tool ran.
func (g *Guarded) Calls() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.calls
}

// Bearers are the Authorization headers that it got, in order.
func (g *Guarded) Bearers() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.bearers)
}
