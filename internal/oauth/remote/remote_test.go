package remote_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/egress"
	"steward/internal/oauth/remote"
)

// host is a machine of somebody else: documents by path, and every request that it got.
type host struct {
	*httptest.Server

	mu    sync.Mutex
	pages map[string]func(http.ResponseWriter, *http.Request)
	seen  []string
}

func newHost(t testing.TB) *host {
	t.Helper()
	h := &host{pages: map[string]func(http.ResponseWriter, *http.Request){}}
	h.Server = httptest.NewServer(h)
	t.Cleanup(h.Close)
	return h
}

func (h *host) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	h.seen = append(h.seen, r.Method+" "+r.URL.Path)
	page := h.pages[r.URL.Path]
	h.mu.Unlock()
	if page == nil {
		http.NotFound(w, r)
		return
	}
	page(w, r)
}

func (h *host) requests() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.seen)
}

// serve answers with a document in which @ stands for the host's own URL.
func (h *host) serve(path string, document map[string]any) {
	text, err := json.Marshal(document)
	if err != nil {
		panic(err)
	}
	text = []byte(strings.ReplaceAll(string(text), "@", h.URL))
	h.page(path, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(text)
	})
}

func (h *host) page(path string, page func(http.ResponseWriter, *http.Request)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.pages[path] = page
}

// metadata of an authorization server at the host, changed.
func metadata(change func(map[string]any)) map[string]any {
	m := map[string]any{
		"issuer": "@", "authorization_endpoint": "@/authorize", "token_endpoint": "@/token", "registration_endpoint": "@/register",
		"response_types_supported": []string{"code"}, "code_challenge_methods_supported": []string{"S256"},
	}
	if change != nil {
		change(m)
	}
	return m
}

// client reaches this machine, as an operator may allow.
func client(t testing.TB, allow ...netip.Prefix) *remote.Client {
	t.Helper()
	c := egress.NewExit(append(allow, netip.MustParsePrefix("127.0.0.1/32"))...).Client()
	t.Cleanup(c.CloseIdleConnections)
	r, err := remote.New(c)
	require.NoError(t, err)
	return r
}

const (
	protected = "/.well-known/oauth-protected-resource"
	server    = "/.well-known/oauth-authorization-server"
)

func TestNewWantsATransport(t *testing.T) {
	t.Parallel()
	for _, c := range []*http.Client{nil, {}} {
		_, err := remote.New(c)
		require.Error(t, err)
	}
}

// The documents are looked for where the specification says, in its order, and no further than needed.
func TestDiscover(t *testing.T) {
	t.Parallel()
	resource := map[string]any{"resource": "@/mcp", "authorization_servers": []string{"@"}, "scopes_supported": []string{"a", "b"}}
	for name, c := range map[string]struct {
		pages     map[string]map[string]any
		challenge string
		seen      []string
		resource  string
		issuer    string
		guessed   bool
	}{
		"at the path": {
			pages: map[string]map[string]any{protected + "/mcp": resource, server: metadata(nil)},
			seen:  []string{protected + "/mcp", server}, resource: "@/mcp", issuer: "@",
		},
		"at the root, for the host": {
			pages: map[string]map[string]any{protected: {"resource": "@", "authorization_servers": []string{"@"}}, server: metadata(nil)},
			seen:  []string{protected + "/mcp", protected, server}, resource: "@", issuer: "@",
		},
		"where the challenge says": {
			pages:     map[string]map[string]any{"/elsewhere": resource, server: metadata(nil)},
			challenge: `Bearer resource_metadata="@/elsewhere"`, seen: []string{"/elsewhere", server}, resource: "@/mcp", issuer: "@",
		},
		"not where the challenge says": {
			pages:     map[string]map[string]any{protected + "/mcp": resource, server: metadata(nil)},
			challenge: `Bearer resource_metadata="@/elsewhere"`, seen: []string{"/elsewhere", protected + "/mcp", server}, resource: "@/mcp", issuer: "@",
		},
		"issuer with a path": {
			pages: map[string]map[string]any{
				protected + "/mcp":              {"resource": "@/mcp", "authorization_servers": []string{"@/tenant"}},
				"/tenant" + openID:              metadata(func(m map[string]any) { m["issuer"] = "@/tenant" }),
				"/.well-known/unrelated/tenant": {},
			},
			seen:     []string{protected + "/mcp", server + "/tenant", openID + "/tenant", "/tenant" + openID},
			resource: "@/mcp", issuer: "@/tenant",
		},
		"OpenID provider": {
			pages: map[string]map[string]any{protected + "/mcp": resource, openID: metadata(nil)},
			seen:  []string{protected + "/mcp", server, openID}, resource: "@/mcp", issuer: "@",
		},
		"slash at the end of the issuer": {
			pages: map[string]map[string]any{protected + "/mcp": resource, server: metadata(func(m map[string]any) { m["issuer"] = "@/" })},
			seen:  []string{protected + "/mcp", server}, resource: "@/mcp", issuer: "@/",
		},
		"2025-03-26 with metadata": {
			pages: map[string]map[string]any{server: metadata(nil)},
			seen:  []string{protected + "/mcp", protected, server}, resource: "@/mcp", issuer: "@",
		},
		"2025-03-26 without any": {
			seen: []string{protected + "/mcp", protected, server, openID}, resource: "@/mcp", issuer: "@", guessed: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t)
			for path, document := range c.pages {
				h.serve(path, document)
			}
			own := func(text string) string { return strings.ReplaceAll(text, "@", h.URL) }
			a, err := client(t).Discover(t.Context(), h.URL+"/mcp", remote.ParseChallenge([]string{own(c.challenge)}))
			require.NoError(t, err)
			for i, path := range c.seen {
				c.seen[i] = "GET " + path
			}
			require.Equal(t, c.seen, h.requests())
			require.Equal(t, own(c.resource), a.Resource)
			require.Equal(t, own(c.issuer), a.Issuer)
			require.Equal(t, c.guessed, a.Guessed)
			require.Equal(t, h.URL+"/token", a.Metadata.TokenEndpoint)
		})
	}
}

const openID = "/.well-known/openid-configuration"

// T-18, T-03: documents that speak for somebody else, lead into a script or into the clear, or lack what keeps a
// flow safe are not used.
func TestT18Metadata(t *testing.T) {
	t.Parallel()
	set := func(name string, value any) func(map[string]any) { return func(m map[string]any) { m[name] = value } }
	for name, c := range map[string]struct {
		resource func(map[string]any)
		server   func(map[string]any)
		err      error
	}{
		"resource of another host":      {resource: set("resource", "https://victim.example/mcp"), err: remote.ErrMismatch},
		"resource of another path":      {resource: set("resource", "@/victim"), err: remote.ErrMismatch},
		"resource of the whole host":    {resource: set("resource", "@"), err: remote.ErrMismatch},
		"no resource":                   {resource: set("resource", ""), err: remote.ErrMismatch},
		"no authorization server":       {resource: set("authorization_servers", []string{}), err: remote.ErrIncomplete},
		"authorization server in clear": {resource: set("authorization_servers", []string{"http://as.example"}), err: remote.ErrUnsafe},
		"authorization server a script": {resource: set("authorization_servers", []string{"javascript:alert(1)"}), err: remote.ErrUnsafe},
		"issuer of another":             {server: set("issuer", "https://honest.example"), err: remote.ErrMismatch},
		"no issuer":                     {server: set("issuer", ""), err: remote.ErrMismatch},
		"issuer with a path":            {server: set("issuer", "@/tenant"), err: remote.ErrMismatch},
		"script to authorize":           {server: set("authorization_endpoint", "javascript:alert(document.domain)"), err: remote.ErrUnsafe},
		"data to authorize":             {server: set("authorization_endpoint", "data:text/html,<script>1</script>"), err: remote.ErrUnsafe},
		"file to authorize":             {server: set("authorization_endpoint", "file:///etc/passwd"), err: remote.ErrUnsafe},
		"relative path to authorize":    {server: set("authorization_endpoint", "/authorize"), err: remote.ErrUnsafe},
		"user name in authorize":        {server: set("authorization_endpoint", "https://a:b@as.example/"), err: remote.ErrUnsafe},
		"tokens in clear":               {server: set("token_endpoint", "http://as.example/token"), err: remote.ErrUnsafe},
		"no token endpoint":             {server: set("token_endpoint", ""), err: remote.ErrIncomplete},
		"registration in clear":         {server: set("registration_endpoint", "http://as.example/register"), err: remote.ErrUnsafe},
		"revocation in clear":           {server: set("revocation_endpoint", "http://as.example/revoke"), err: remote.ErrUnsafe},
		"PKCE not mentioned":            {server: set("code_challenge_methods_supported", nil), err: remote.ErrIncomplete},
		"PKCE in clear alone":           {server: set("code_challenge_methods_supported", []string{"plain"}), err: remote.ErrIncomplete},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t)
			resource := map[string]any{"resource": "@/mcp", "authorization_servers": []string{"@"}}
			if c.resource != nil {
				c.resource(resource)
			}
			h.serve(protected+"/mcp", resource)
			h.serve(server, metadata(c.server))
			_, err := client(t).Discover(t.Context(), h.URL+"/mcp", remote.Challenge{})
			require.ErrorIs(t, err, c.err)
		})
	}
}

// A page for people where a document could be is no document; a server that fails is not one that has none.
func TestDiscoverTellsAbsenceFromFailure(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.page(protected+"/mcp", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>not found</html>")) })
	h.serve(protected, map[string]any{"resource": "@/mcp", "authorization_servers": []string{"@"}})
	h.serve(server, metadata(nil))
	_, err := client(t).Discover(t.Context(), h.URL+"/mcp", remote.Challenge{})
	require.NoError(t, err)
	for name, page := range map[string]http.HandlerFunc{
		"fails": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) },
		"no end": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write(make([]byte, 2<<20))
		},
		"no JSON": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte("{"))
		},
		"turns around": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path, http.StatusFound) },
	} {
		h.page(protected+"/mcp", page)
		_, err := client(t).Discover(t.Context(), h.URL+"/mcp", remote.Challenge{})
		require.Error(t, err, name)
		require.NotErrorIs(t, err, remote.ErrMismatch, name)
	}
}

// T-06: what a remote server names is dialled by the rules for addresses of others: nothing private, also behind a
// redirect.
func TestT06PrivateAddressesAreNotReached(t *testing.T) {
	t.Parallel()
	inner := newHost(t) // stands for a private service: only 127.0.0.2 may be reached below
	for name, build := range map[string]func(h *host) remote.Challenge{
		"challenge": func(*host) remote.Challenge { return remote.Challenge{Metadata: inner.URL + "/x"} },
		"redirect of the resource's metadata": func(h *host) remote.Challenge {
			h.page(protected+"/mcp", http.RedirectHandler(inner.URL+"/x", http.StatusFound).ServeHTTP)
			return remote.Challenge{}
		},
		"authorization server": func(h *host) remote.Challenge {
			h.serve(protected+"/mcp", map[string]any{"resource": "@/mcp", "authorization_servers": []string{inner.URL}})
			return remote.Challenge{}
		},
		"redirect of the server's metadata": func(h *host) remote.Challenge {
			h.serve(protected+"/mcp", map[string]any{"resource": "@/mcp", "authorization_servers": []string{"@"}})
			h.page(server, http.RedirectHandler(inner.URL+"/x", http.StatusFound).ServeHTTP)
			return remote.Challenge{}
		},
	} {
		h := &host{pages: map[string]func(http.ResponseWriter, *http.Request){}}
		h.Server = httptest.NewUnstartedServer(h)
		listen(t, h.Server, "127.0.0.2:0")
		challenge := build(h)
		c := egress.NewExit(netip.MustParsePrefix("127.0.0.2/32")).Client()
		r, err := remote.New(c)
		require.NoError(t, err)
		_, err = r.Discover(t.Context(), h.URL+"/mcp", challenge)
		require.ErrorIs(t, err, egress.ErrDenied, name)
		c.CloseIdleConnections()
	}
	require.Empty(t, inner.requests())
}

func listen(t testing.TB, s *httptest.Server, address string) {
	t.Helper()
	require.NoError(t, s.Listener.Close())
	l, err := listenConfig.Listen(context.WithoutCancel(t.Context()), "tcp", address)
	require.NoError(t, err)
	s.Listener = l
	s.Start()
	t.Cleanup(s.Close)
}

func query(t testing.TB, address string) url.Values {
	t.Helper()
	u, err := url.Parse(address)
	require.NoError(t, err)
	return u.Query()
}
