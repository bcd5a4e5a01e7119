package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"

	"steward/api"
	"steward/dev/counterpart/authority"
	"steward/internal/auth"
	"steward/internal/automation"
	"steward/internal/egress"
	"steward/internal/oauth"
	"steward/internal/registry"
	"steward/internal/vault"
)

// remoteSite is the edge on an address of its own, which may call servers on this machine.
type remoteSite struct {
	*rig
	url string
}

func newRemoteSite(t *testing.T) *remoteSite {
	t.Helper()
	s := &remoteSite{rig: newRig(t)}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }))
	t.Cleanup(server.Close)
	s.url = server.URL
	exits := egress.New(egress.Rules{Everybody: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}})
	t.Cleanup(exits.Close)
	d := s.deps
	d.PublicURL, d.Hosts = s.url, []string{"steward.test"}
	d.Consent, d.Connections = s.consent(oauth.Options{PublicURL: s.url, Transport: http.DefaultTransport, Remote: exits})
	secrets, err := vault.New(s.db, s.ring)
	require.NoError(t, err)
	d.Registry, err = registry.New(s.db, s.ring, d.Consent, secrets, exits, registry.Options{}, s.log)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Registry.Close(context.WithoutCancel(t.Context()))) })
	s.handler, err = api.New(d)
	require.NoError(t, err)
	return s
}

// add registers a server of owner; "" stands for an admin's.
func (s *remoteSite) add(owner, name, address string) int64 {
	s.t.Helper()
	var id int64
	err := s.db.Pool.QueryRow(s.t.Context(), `INSERT INTO mcp_servers (owner, name, transport, url) VALUES (NULLIF($1, ''), $2, 'http', $3) RETURNING id`,
		owner, name, address).Scan(&id)
	require.NoError(s.t, err)
	return id
}

func (s *remoteSite) post(owner, path, body string) *httptest.ResponseRecorder {
	s.t.Helper()
	return s.do(call{method: http.MethodPost, path: path, body: body, token: s.token(owner, auth.User)})
}

// connect asks for the consent page of a server.
func (s *remoteSite) connect(owner, name, body string) api.ServerConnection {
	s.t.Helper()
	return decoded[api.ServerConnection](s.t, s.post(owner, "/mcp/servers/"+name+"/connect", body), http.StatusOK)
}

func TestConnectAServerThatWantsNoToken(t *testing.T) {
	t.Parallel()
	server := mcp.NewServer(&mcp.Implementation{Name: "open", Version: "1"}, nil)
	mcp.AddTool(server, &mcp.Tool{Name: "hello"}, func(context.Context, *mcp.CallToolRequest, struct{}) (*mcp.CallToolResult, any, error) {
		return &mcp.CallToolResult{}, nil, nil
	})
	open := httptest.NewServer(mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return server }, &mcp.StreamableHTTPOptions{Stateless: true, JSONResponse: true}))
	t.Cleanup(open.Close)
	s := newRemoteSite(t)
	id := s.add("", "open", open.URL)
	w := s.post("alice", "/mcp/servers/open/connect", "")
	require.Equal(t, http.StatusOK, w.Code, w.Body)
	require.JSONEq(t, `{"success":true,"status":"connected","tool_count":1}`, w.Body.String())
	require.JSONEq(t, w.Body.String(), s.post("alice", fmt.Sprintf("/mcp/servers/%d/connect", id), "{}").Body.String())
	dead := httptest.NewServer(http.NotFoundHandler())
	dead.Close()
	s.add("", "dead", dead.URL)
	require.Equal(t, "server_unreachable", problem(t, s.post("alice", "/mcp/servers/dead/connect", ""), http.StatusBadGateway).Code)
	p := problem(t, s.post("alice", "/mcp/servers/helper-tools/connect", ""), http.StatusNotFound)
	require.Equal(t, "Server with name helper-tools not found", p.Detail)
}

// Seed 003's calibration, with the browser: discovery, registration, consent, exchange, and the server's own answer
// before anything says connected.
func TestConnectAServerThroughTheBrowser(t *testing.T) {
	t.Parallel()
	as := authority.Start(t, authority.Options{})
	guarded := authority.Guard(t, as)
	s := newRemoteSite(t)
	s.add("alice", "notion", guarded.URL)

	asked := s.connect("alice", "notion", "")
	require.Equal(t, "authorization_required", asked.Status)
	require.True(t, strings.HasPrefix(asked.AuthorizationURL, s.url+"/auth/mcp/login?link="), asked.AuthorizationURL)
	require.NotNil(t, asked.ExpiresAt)
	problem(t, s.post("mallory", "/mcp/servers/notion/connect", ""), http.StatusNotFound)

	page := authority.NewBrowser(t).Open(t, asked.AuthorizationURL, nil)
	require.Equal(t, http.StatusOK, page.Status, page.Body)
	require.JSONEq(t, `{"success":true,"status":"connected","tool_count":1,"user_id":"alice"}`, page.Body)
	require.Regexp(t, `^/auth/mcp/callback/[0-9a-f]{16}$`, page.URL.Path, "of this authorization server alone")
	require.Equal(t, "connected", s.connect("alice", "notion", "").Status)
	for _, header := range guarded.Bearers() {
		require.NotContains(t, header, s.token("alice", auth.User), "T-17: our own tokens go nowhere")
	}

	require.JSONEq(t, `{"success":true,"revoked":true}`, s.post("alice", "/mcp/servers/notion/disconnect", "").Body.String())
	problem(t, s.post("alice", "/mcp/servers/notion/disconnect", ""), http.StatusNotFound)
	require.Equal(t, "authorization_required", s.connect("alice", "notion", "").Status)
}

// T-17: the answer belongs to the browser that began, once.
func TestT17CallbackOfAServerIsBoundToItsBrowser(t *testing.T) {
	t.Parallel()
	as := authority.Start(t, authority.Options{})
	guarded := authority.Guard(t, as)
	s := newRemoteSite(t)
	s.add("", "notion", guarded.URL)
	back := func(u *url.URL) bool { return strings.HasPrefix(u.Path, "/auth/mcp/callback/") }
	victim, thief := authority.NewBrowser(t), authority.NewBrowser(t)
	link := s.connect("alice", "notion", "").AuthorizationURL
	stolen := victim.Open(t, link, back).URL.String()
	require.Equal(t, oauth.CodeStateInvalid, problemOf(t, thief.Open(t, stolen, nil), http.StatusBadRequest).Code)
	require.Equal(t, oauth.CodeStateInvalid, problemOf(t, victim.Open(t, stolen, nil), http.StatusBadRequest).Code, "used up")
	require.Equal(t, oauth.CodeLinkInvalid, problemOf(t, victim.Open(t, link, nil), http.StatusForbidden).Code)

	mine := victim.Open(t, s.connect("alice", "notion", "").AuthorizationURL, back).URL
	query := mine.Query()
	query.Set("iss", "https://evil.example")
	mine.RawQuery = query.Encode()
	require.Equal(t, oauth.CodeIssuerMismatch, problemOf(t, victim.Open(t, mine.String(), nil), http.StatusForbidden).Code)
	require.Zero(t, guarded.Tokens())
}

func problemOf(t *testing.T, page authority.Page, status int) api.Problem {
	t.Helper()
	require.Equal(t, status, page.Status, page.Body)
	var p api.Problem
	require.NoError(t, json.Unmarshal([]byte(page.Body), &p))
	return p
}

func TestConnectGoesBackToTheApplication(t *testing.T) {
	t.Parallel()
	as := authority.Start(t, authority.Options{})
	guarded := authority.Guard(t, as)
	s := newRemoteSite(t)
	s.add("", "notion", guarded.URL)
	app := func(u *url.URL) bool { return u.Host == "app.example.com" }
	asked := s.connect("alice", "notion", `{"redirect_url":"https://app.example.com/servers?x=1"}`)
	page := authority.NewBrowser(t).Open(t, asked.AuthorizationURL, app)
	require.Equal(t, "https://app.example.com/servers?appName=notion&status=success&x=1", page.URL.String())
	problem(t, s.post("bob", "/mcp/servers/notion/connect", `{"redirect_url":"https://evil.example"}`), http.StatusUnprocessableEntity)

	// Nor does an answer that is refused strand anybody: the code of it goes nowhere, the browser back.
	back := func(u *url.URL) bool { return strings.HasPrefix(u.Path, "/auth/mcp/callback/") }
	for name, spoil := range map[string]func(u *url.URL, query url.Values){
		"a person says no": func(_ *url.URL, q url.Values) {
			q.Del("code")
			q.Set("error", "access_denied")
			q.Set("error_description", canary)
		},
		"another issuer": func(_ *url.URL, q url.Values) { q.Set("iss", "https://evil.example") },
		"another place":  func(u *url.URL, _ url.Values) { u.Path = "/auth/mcp/callback/0123456789abcdef" },
		"no place":       func(u *url.URL, _ url.Values) { u.Path = "/auth/mcp/callback" },
	} {
		browser := authority.NewBrowser(t)
		asked := s.connect("bob", "notion", `{"redirect_url":"https://app.example.com/servers?x=1"}`)
		answer := browser.Open(t, asked.AuthorizationURL, back).URL
		query := answer.Query()
		spoil(answer, query)
		answer.RawQuery = query.Encode()
		page := browser.Open(t, answer.String(), app)
		require.Equal(t, "https://app.example.com/servers?appName=notion&status=error&x=1", page.URL.String(), name)
	}
	require.Equal(t, "authorization_required", s.connect("bob", "notion", "").Status)
}

// Seed 001's request, and its answer.
func TestGiveTokensForAServer(t *testing.T) {
	t.Parallel()
	as := authority.Start(t, authority.Options{})
	guarded := authority.Guard(t, as)
	s := newRemoteSite(t)
	id := s.add("", "notion", guarded.URL)
	body := `{"tokenType":"Bearer","accessToken":"` + canary + `1","refreshToken":"` + canary + `2","expiresIn":3600,"scopes":["read","write"],
		"clientId":"theirs","clientSecret":"` + canary + `3","redirectUri":"https://missionsquad.example.com/webhooks/oauth/callback/123","codeVerifier":"` + canary + `4"}`
	w := s.post("alice", "/mcp/servers/notion/oauth", body)
	require.Equal(t, http.StatusOK, w.Code, w.Body)
	require.JSONEq(t, `{"success":true}`, w.Body.String())
	row, err := s.db.Pool.Query(t.Context(), "SELECT owner, provider, client_id, resource FROM credentials")
	require.NoError(t, err)
	require.True(t, row.Next())
	values, err := row.Values()
	require.NoError(t, err)
	row.Close()
	require.Equal(t, []any{"alice", oauth.Server(id), "theirs", guarded.URL}, values)
	require.NotContains(t, s.logs.String(), canary)

	// A backend's body names the user, as all of seed 001's do.
	w = s.do(call{method: http.MethodPost, path: "/mcp/servers/notion/oauth", key: s.apiKey("user123"), body: `{"username":"user123",` + body[1:]})
	require.Equal(t, http.StatusOK, w.Code, w.Body)
	given := 0
	require.NoError(t, s.db.Pool.QueryRow(t.Context(), "SELECT count(*) FROM credentials WHERE owner = 'user123'").Scan(&given))
	require.Equal(t, 1, given)

	problem(t, s.post("alice", "/mcp/servers/notion/oauth", `{}`), http.StatusUnprocessableEntity)
	problem(t, s.post("alice", "/mcp/servers/notion/oauth", `{"accessToken":"x","tokenType":"mac"}`), http.StatusUnprocessableEntity)
	problem(t, s.post("alice", "/mcp/servers/nothing/oauth", `{"accessToken":"x"}`), http.StatusNotFound)
}

// A run that waits for a server's consent shows a link that works.
func TestWaitingRunLinksToTheServersConsent(t *testing.T) {
	t.Parallel()
	as := authority.Start(t, authority.Options{})
	guarded := authority.Guard(t, as)
	s := newRemoteSite(t)
	id := s.add("", "notion", guarded.URL)
	started := s.post("alice", "/automation/run", fmt.Sprintf(`{"mcp_server_id":%d,"instructions":"say who I am"}`, id))
	run := decoded[struct {
		ID int64 `json:"run_id"`
	}](t, started, http.StatusAccepted).ID
	s.park(run, automation.WaitingForAuth, fmt.Sprintf(`{"reason":"notion is not connected","provider":%q,"connector":"notion","scopes":["mcp:admin"],"since":"2026-11-20T09:30:00Z"}`, oauth.Server(id)))
	shown := decoded[api.Run](t, s.do(call{path: fmt.Sprintf("/automation/run/%d", run), token: s.token("alice", auth.User)}), http.StatusOK)
	require.NotNil(t, shown.Waiting)
	page := authority.NewBrowser(t).Open(t, shown.Waiting.URL, nil)
	require.Equal(t, http.StatusOK, page.Status, page.Body)
	require.Contains(t, page.Body, `"status":"connected"`)
	var scopes []string
	require.NoError(t, s.db.Pool.QueryRow(t.Context(), "SELECT scopes FROM credentials").Scan(&scopes))
	require.Contains(t, scopes, "mcp:admin")
}

func TestClientDocument(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	got := decoded[map[string]any](t, r.do(call{path: "/.well-known/oauth-client.json"}), http.StatusOK)
	require.Equal(t, publicURL+"/.well-known/oauth-client.json", got["client_id"])
	require.Equal(t, []any{publicURL + "/auth/mcp/callback"}, got["redirect_uris"])
	require.Equal(t, "none", got["token_endpoint_auth_method"])
	require.Contains(t, got["grant_types"], "refresh_token")
}
