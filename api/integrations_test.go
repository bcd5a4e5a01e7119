package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/api"
	"steward/internal/auth"
	"steward/internal/auth/authtest"
	"steward/internal/oauth"
)

func TestIntegrationsAreListed(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	type list struct {
		Integrations []api.Integration `json:"integrations"`
	}
	got := decoded[list](t, r.do(call{path: "/api/integrations", token: r.token("alice", auth.User)}), http.StatusOK)
	require.Len(t, got.Integrations, 2)
	require.Equal(t, "mail", got.Integrations[0].Provider)
	require.Equal(t, "google", got.Integrations[0].Consent)
	require.True(t, got.Integrations[0].Configured)
	require.Equal(t, api.IntegrationTool{Name: "MAIL_SEND", Title: "Send mail", Class: "effect"}, got.Integrations[0].Tools[1])
}

func TestProviderWithoutClientIDIsNamed(t *testing.T) {
	t.Parallel()
	r := newRig(t, unregistered(t))
	alice := r.token("alice", auth.User)
	connect := call{method: http.MethodPost, path: "/api/integrations/connect", body: `{"provider":"mail"}`, token: alice}
	for _, c := range []call{{path: "/auth/google/login"}, {path: "/auth/google/callback?state=x&code=y"}, connect} {
		require.Equal(t, oauth.CodeNotConfigured, problem(t, r.do(c), http.StatusServiceUnavailable).Code, c.path)
	}
	require.Contains(t, r.do(call{path: "/api/integrations", token: alice}).Body.String(), `"configured":false`)

	id := r.run("alice")
	r.park(id, "waiting_for_auth", `{"reason":"Mail is not connected","provider":"google","connector":"mail","since":"2026-11-20T09:30:03Z"}`)
	got := decoded[api.Run](t, r.do(call{path: fmt.Sprintf("/automation/run/%d", id), token: alice}), http.StatusOK)
	require.Equal(t, "Mail is not connected", got.Waiting.Reason)
	require.Empty(t, got.Waiting.URL, "there is nowhere to consent")
}

// unregistered takes the provider away.
func unregistered(t *testing.T) func(*api.Deps) {
	t.Helper()
	return func(d *api.Deps) {
		var err error
		d.Consent, err = oauth.New(d.DB, d.Ring, d.Log, oauth.Options{PublicURL: publicURL, LinkKey: authtest.Key(t), Transport: discovery{}})
		require.NoError(t, err)
	}
}

// A backend names its user; a user can only be oneself (T-37).
func TestBackendsConnectForTheirUsers(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	key := r.apiKey("user_123")
	body := `{"user_id":"user_123","provider":"mail","redirect_url":"https://app.example.com/connectors?callback=true"}`
	w := r.do(call{method: http.MethodPost, path: "/api/integrations/connect", body: body, key: key})
	answer := decoded[map[string]string](t, w, http.StatusOK)
	require.Len(t, answer, 1)
	begun := r.do(call{path: strings.TrimPrefix(answer["auth_url"], publicURL)})
	require.Equal(t, http.StatusFound, begun.Code)
	require.True(t, strings.HasPrefix(begun.Header().Get("Location"), accounts+"/auth?"), begun.Header())

	before := r.rows()
	for _, c := range []call{
		{method: http.MethodPost, path: "/api/integrations/connect", body: strings.Replace(body, "user_123", "alice", 1), key: key},
		{method: http.MethodPost, path: "/api/integrations/connect", body: `{"provider":"mail"}`, key: key},
		{method: http.MethodPost, path: "/api/integrations/connect", body: body, token: r.token("alice", auth.User)},
		{method: http.MethodPost, path: "/api/integrations/disconnect", body: `{"user_id":"alice","provider":"mail"}`, key: key},
		{path: "/api/integrations/connected?user_id=alice", key: key},
		{path: "/api/integrations/connected?user_id=user_123", token: r.token("alice", auth.User)},
	} {
		problem(t, r.do(c), http.StatusForbidden)
	}
	require.Equal(t, before, r.rows())
}

// T-21: what a page of another site can make a browser send changes nothing.
func TestOtherSitesConnectNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	before := r.rows()
	for _, path := range []string{"/api/integrations/connect", "/api/integrations/disconnect"} {
		for name, value := range map[string]string{"Origin": "https://evil.test", "Sec-Fetch-Site": "cross-site"} {
			w := r.do(call{
				method: http.MethodPost, path: path, body: `{"provider":"mail"}`, token: r.token("alice", auth.User), header: map[string]string{name: value},
			})
			require.Equal(t, "cross_origin", problem(t, w, http.StatusForbidden).Code)
		}
	}
	require.Equal(t, before, r.rows())
}

// Where a browser goes after consent is ours or registered: everything else would hand people over.
func TestRedirectsLeadNowhereElse(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	alice := r.token("alice", auth.User)
	connect := func(redirect string) call {
		body, err := json.Marshal(map[string]string{"provider": "mail", "redirect_url": redirect})
		require.NoError(t, err)
		return call{method: http.MethodPost, path: "/api/integrations/connect", body: string(body), token: alice}
	}
	for _, good := range []string{"", "/console", "/x?y=z#w", publicURL + "/x", "https://app.example.com", "https://app.example.com/a?b=c", "https://APP.example.com/"} {
		require.Equal(t, http.StatusOK, r.do(connect(good)).Code, good)
	}
	for _, evil := range []string{
		"https://evil.test", "http://app.example.com", "https://app.example.com:8443/", "https://app.example.com.evil.test",
		"https://app.example.com@evil.test/", "https://user:pass@app.example.com/", "//evil.test", "///evil.test", "/\\evil.test", "\\\\evil.test",
		"https:/evil.test", "https:evil.test", "https:\\\\evil.test", "javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x",
		"file:///etc/passwd", "ftp://app.example.com/", "/\t/evil.test", " //evil.test", "https://app.example.com%2eevil.test", "evil.test", "?next=//evil.test",
		"https://[::1]/", "http://127.0.0.1/", "https://app.example.com\r\nX: y",
	} {
		p := problem(t, r.do(connect(evil)), http.StatusUnprocessableEntity)
		require.Equal(t, "body.redirect_url", p.Errors[0].Location, evil)
		require.NotContains(t, p.Detail, "evil")
	}
}

func TestSignInsAreCountedByAddress(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(d *api.Deps) { d.Rates.Login = 2 })
	for range 2 {
		require.Equal(t, http.StatusFound, r.do(call{path: "/auth/google/login"}).Code)
	}
	before := r.rows()
	w := r.do(call{path: "/auth/google/login"})
	require.Equal(t, "rate_limited", problem(t, w, http.StatusTooManyRequests).Code)
	require.Equal(t, "60", w.Header().Get("Retry-After"))
	require.Equal(t, before, r.rows())
	problem(t, r.do(call{path: "/auth/google/callback?state=x"}), http.StatusBadRequest)
	req := r.request(call{path: "/auth/google/login"})
	req.RemoteAddr = "198.51.100.7:1234"
	require.Equal(t, http.StatusFound, r.serve(req).Code, "another address")
}

func TestFlowCookieIsForThisFlowAlone(t *testing.T) {
	t.Parallel()
	for public, want := range map[string]string{
		publicURL:              `^steward_flow_[0-9a-f]{16}=\S+; Path=/auth/google; Max-Age=(599|600); HttpOnly; SameSite=Lax$`,
		"https://steward.test": `^__Host-steward_flow_[0-9a-f]{16}=\S+; Path=/; Max-Age=(599|600); HttpOnly; Secure; SameSite=Lax$`,
	} {
		r := newRig(t, func(d *api.Deps) { d.PublicURL = public })
		first, second := r.do(call{path: "/auth/google/login"}), r.do(call{path: "/auth/google/login"})
		require.Regexp(t, want, first.Header().Get("Set-Cookie"))
		require.NotEqual(t, strings.Split(first.Header().Get("Set-Cookie"), "=")[0], strings.Split(second.Header().Get("Set-Cookie"), "=")[0])
		require.NotEqual(t, first.Header().Get("Location"), second.Header().Get("Location"))
		require.Contains(t, first.Header().Get("Location"), "code_challenge_method=S256")
		require.Equal(t, "no-store", first.Header().Get("Cache-Control"))
		require.Equal(t, "no-referrer", first.Header().Get("Referrer-Policy"))
	}
}
