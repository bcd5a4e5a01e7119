package api_test

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/api"
	"steward/internal/auth"
)

// scopesAsked opens a link and says what the provider is then asked for.
func (r *rig) scopesAsked(link string) []string {
	r.t.Helper()
	begun := r.do(call{path: strings.TrimPrefix(link, publicURL)})
	require.Equal(r.t, http.StatusFound, begun.Code, begun.Body)
	u, err := url.Parse(begun.Header().Get("Location"))
	require.NoError(r.t, err)
	return strings.Fields(u.Query().Get("scope"))
}

// Seed 001: a server with MCP_AUTH_TYPE=OAUTH2_GOOGLE does not say which of Google's APIs it calls. Who consents for it is
// asked for what all our integrations there need: with a grant of no more than an identity nobody would be asked again.
func TestConsentForAServerAtGoogleIsOfUse(t *testing.T) {
	t.Parallel()
	r := newServerRig(t)
	self, err := os.Executable()
	require.NoError(t, err)
	w := r.as(auth.Admin, http.MethodPost, "/mcp/servers",
		fmt.Sprintf(`{"name":"mcp-google-workspace","command":%q,"env":{"MCP_AUTH_TYPE":"OAUTH2_GOOGLE","SERVE_GITHUB":"1"}}`, self))
	require.Equal(t, http.StatusCreated, w.Code, w.Body)
	all := []string{"openid", "https://www.googleapis.com/auth/userinfo.email", "mail.readonly", "mail.send", "gmail.readonly"}

	p := problem(t, r.as(auth.User, http.MethodPost, "/mcp/tool/call", `{"serverName":"mcp-google-workspace","methodName":"create_issue","args":{"owner":"x"}}`), http.StatusForbidden)
	require.Equal(t, "consent_required", p.Code)
	require.Equal(t, all, r.scopesAsked(p.ConnectURL))

	waits := func(connector string) []string {
		id := r.run("alice")
		r.park(id, "waiting_for_auth", fmt.Sprintf(`{"reason":"Google is not connected","provider":"google","connector":%q,"since":"2026-11-20T09:30:03Z"}`, connector))
		shown := decoded[api.Run](t, r.do(call{path: fmt.Sprintf("/automation/run/%d", id), token: r.token("alice", auth.User)}), http.StatusOK)
		return r.scopesAsked(shown.Waiting.URL)
	}
	require.Equal(t, all, waits("mcp-google-workspace"), "a run that waits is given the same")
	require.Equal(t, []string{"openid", "https://www.googleapis.com/auth/userinfo.email", "gmail.readonly"}, waits("gmail"), "an integration asks for its own")
}

// An integration that is not connected ends none of those with which it would share a consent.
func TestDisconnectEndsOnlyWhatIsConnected(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.connect("alice", "mail.readonly", "mail.send")
	before := r.rows()
	w := r.do(call{method: http.MethodPost, path: "/api/integrations/disconnect", body: `{"provider":"gmail"}`, token: r.token("alice", auth.User)})
	p := problem(t, w, http.StatusUnprocessableEntity)
	require.Equal(t, "body.provider", p.Errors[0].Location)
	require.Equal(t, before, r.rows(), "mail stays")
}
