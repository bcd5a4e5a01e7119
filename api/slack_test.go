package api_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/api"
	stand "steward/dev/counterpart/google"
	workspace "steward/dev/counterpart/slack"
	"steward/internal/auth"
	"steward/internal/auth/authtest"
	"steward/internal/config"
	"steward/internal/connector"
	"steward/internal/connector/slack"
	"steward/internal/oauth"
	"steward/internal/secret"
)

// slackSite is the edge on an address of its own, with a stand-in for Slack beside it.
type slackSite struct {
	*rig
	slack *workspace.Server
	url   string
}

func newSlackSite(t *testing.T) *slackSite {
	t.Helper()
	s := &slackSite{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }))
	t.Cleanup(server.Close)
	s.url = server.URL
	s.slack = workspace.Start(t, workspace.Options{Redirects: []string{s.url + "/auth/slack/callback"}})
	s.rig = newRig(t)
	d := s.deps
	d.PublicURL, d.Hosts = s.url, []string{"steward.test"}
	var err error
	d.Consent, err = oauth.New(s.db, s.ring, s.log, oauth.Options{
		Providers: []oauth.Provider{oauth.Slack(config.Slack{
			SlackID: workspace.ClientID, SlackSecret: secret.New(workspace.ClientSecret), SlackURL: s.slack.URL,
		})},
		PublicURL: s.url, LinkKey: authtest.Key(t), Transport: http.DefaultTransport,
	})
	require.NoError(t, err)
	d.Connections, err = connector.NewConnections(connector.Options{Credentials: d.Consent}, slack.New())
	require.NoError(t, err)
	t.Cleanup(d.Connections.Close)
	s.handler, err = api.New(d)
	require.NoError(t, err)
	return s
}

func (s *slackSite) link(owner string) string {
	s.t.Helper()
	return s.linkTo(owner, "")
}

// linkTo is a link whose browser goes to redirect afterwards.
func (s *slackSite) linkTo(owner, redirect string) string {
	s.t.Helper()
	body := `{"provider":"slack","user_id":"` + owner + `","redirect_url":"` + redirect + `"}`
	w := s.do(call{method: http.MethodPost, path: "/api/integrations/connect", body: body, token: s.token(owner, auth.User)})
	return decoded[map[string]string](s.t, w, http.StatusOK)["auth_url"]
}

func (s *slackSite) connected(owner string) []api.Connected {
	s.t.Helper()
	return decoded[struct {
		Integrations []api.Connected `json:"integrations"`
	}](s.t, s.do(call{path: "/api/integrations/connected", token: s.token(owner, auth.User)}), http.StatusOK).Integrations
}

func TestConnectSlack(t *testing.T) {
	t.Parallel()
	s := newSlackSite(t)
	browser := stand.NewBrowser()
	asked := browser.Open(t, s.link("carol")).URL
	require.Equal(t, "/oauth/v2/authorize", asked.Path)
	require.Equal(t, "channels:read,channels:history,users:read,chat:write", asked.Query().Get("user_scope"))
	back := workspace.Consent(t, asked.String(), workspace.Alice).String()

	refused(t, stand.NewBrowser().Open(t, back), http.StatusBadRequest, oauth.CodeStateInvalid)
	require.Zero(t, s.slack.Count(workspace.Access), "another browser's code goes nowhere")
	back = workspace.Consent(t, browser.Open(t, s.link("carol")).URL.String(), workspace.Alice).String()
	page := browser.Open(t, back)
	require.Equal(t, "/api/integrations/callback", page.URL.Path, page.Body)
	var landed map[string]string
	require.NoError(t, json.Unmarshal([]byte(page.Body), &landed))
	require.Equal(t, "success", landed["status"])
	refused(t, browser.Open(t, back), http.StatusBadRequest, oauth.CodeStateInvalid)

	found := s.connected("carol")
	require.Len(t, found, 1)
	require.Equal(t, "slack", found[0].Provider)
	require.Equal(t, "active", found[0].Status)
	require.Equal(t, "alice (Acme)", found[0].Email)
	require.Equal(t, []string{"channels:read", "channels:history", "users:read", "chat:write"}, found[0].Scopes)
	require.Empty(t, s.connected("bob"))

	out := s.do(call{method: http.MethodPost, path: "/api/integrations/disconnect", body: `{"provider":"slack"}`, token: s.token("carol", auth.User)})
	require.JSONEq(t, `{"success":true,"disconnected":["slack"]}`, out.Body.String())
	require.Equal(t, 1, s.slack.Count(workspace.Revoke))
	require.Empty(t, s.connected("carol"))
}

func TestSlackThatAPersonRefuses(t *testing.T) {
	t.Parallel()
	s := newSlackSite(t)
	browser := stand.NewBrowser()
	state := browser.Open(t, s.link("carol")).URL.Query().Get("state")
	refused(t, browser.Open(t, s.url+"/auth/slack/callback?error=access_denied&state="+state), http.StatusForbidden, oauth.CodeConsentDenied)
	state = browser.Open(t, s.linkTo("carol", "/api/integrations/callback")).URL.Query().Get("state")
	page := browser.Open(t, s.url+"/auth/slack/callback?error=access_denied&state="+state)
	require.Equal(t, "appName=slack&status=error&user_id=carol", page.URL.RawQuery, "back to where the application said")
	require.Contains(t, page.Body, "Slack was not connected")
	refused(t, browser.Open(t, s.url+"/auth/slack/login?link=x.y"), http.StatusForbidden, oauth.CodeLinkInvalid)
	require.Equal(t, http.StatusUnprocessableEntity, browser.Open(t, s.url+"/auth/slack/login").Status)
	require.Empty(t, s.connected("carol"))
}

// Without a registration at Slack, the routes are there and say so.
func TestSlackThatIsNotConfigured(t *testing.T) {
	t.Parallel()
	s := newSite(t) // with Google alone
	require.Equal(t, oauth.CodeNotConfigured, problem(t, s.do(call{path: "/auth/slack/callback?state=x&code=y"}), http.StatusServiceUnavailable).Code)
}
