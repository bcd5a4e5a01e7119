package api_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/api"
	stand "steward/dev/counterpart/google"
	"steward/internal/auth"
	"steward/internal/config"
	"steward/internal/oauth"
	"steward/internal/secret"
)

// site is the edge on an address of its own, with a stand-in for Google beside it.
type site struct {
	*rig
	google *stand.Server
	url    string
	app    string // of an application that is registered
}

func newSite(t *testing.T, change ...func(*api.Deps)) *site {
	t.Helper()
	s := &site{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }))
	t.Cleanup(server.Close)
	s.url = server.URL
	app := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(app.Close)
	s.app = app.URL
	s.google = stand.Start(t, stand.Options{Redirects: []string{s.url + "/auth/google/callback"}})
	s.rig = newRig(t, change...)
	// The rig has made everything for another address: once more, for this one.
	d := s.deps
	d.PublicURL, d.Hosts = s.url, []string{"steward.test"}
	d.Consent, d.Connections = s.consent(oauth.Options{
		Providers: []oauth.Provider{oauth.Google(config.Google{
			ClientID: stand.ClientID, ClientSecret: secret.New(stand.ClientSecret), Discovery: s.google.URL, APIURL: s.google.URL,
		})},
		PublicURL: s.url, Origins: []string{s.app}, Transport: http.DefaultTransport,
	})
	var err error
	s.handler, err = api.New(d)
	require.NoError(t, err)
	return s
}

// link asks for a link with which owner connects mail.
func (s *site) link(owner, redirect string) string {
	s.t.Helper()
	body, err := json.Marshal(map[string]string{"provider": "mail", "redirect_url": redirect, "user_id": owner})
	require.NoError(s.t, err)
	w := s.do(call{method: http.MethodPost, path: "/api/integrations/connect", body: string(body), token: s.token(owner, auth.User)})
	return decoded[map[string]string](s.t, w, http.StatusOK)["auth_url"]
}

// connected lists what owner has connected.
func (s *site) connected(owner string) []api.Connected {
	s.t.Helper()
	return decoded[struct {
		Integrations []api.Connected `json:"integrations"`
	}](s.t, s.do(call{path: "/api/integrations/connected", token: s.token(owner, auth.User)}), http.StatusOK).Integrations
}

// refused checks that a page is a problem of that status and code.
func refused(t *testing.T, page stand.Page, status int, code string) {
	t.Helper()
	require.Equal(t, status, page.Status, page.Body)
	var p api.Problem
	require.NoError(t, json.Unmarshal([]byte(page.Body), &p))
	require.Equal(t, code, p.Code)
	require.NotEmpty(t, p.Detail)
}

func TestSignInWithGoogle(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	page := stand.NewBrowser().SignIn(t, s.url+"/auth/google/login?scope=identity", stand.Alice)
	require.Equal(t, http.StatusOK, page.Status, page.Body)
	var answer map[string]any
	require.NoError(t, json.Unmarshal([]byte(page.Body), &answer))
	require.Len(t, answer, 3)
	require.Equal(t, "bearer", answer["token_type"])
	require.EqualValues(t, 900, answer["expires_in"])

	me := decoded[map[string]any](t, s.do(call{path: "/auth/me", token: answer["access_token"].(string)}), http.StatusOK)
	require.Equal(t, "user", me["role"])
	require.Regexp(t, `^google-\S+$`, me["user_id"])
	again := stand.NewBrowser().SignIn(t, s.url+"/auth/google/login?scope=identity", stand.Alice)
	require.NoError(t, json.Unmarshal([]byte(again.Body), &answer))
	same := decoded[map[string]any](t, s.do(call{path: "/auth/me", token: answer["access_token"].(string)}), http.StatusOK)
	require.Equal(t, me["user_id"], same["user_id"])
	require.Empty(t, s.connected(me["user_id"].(string)), "who it is, and no more")
	whole := stand.NewBrowser().SignIn(t, s.url+"/auth/google/login", stand.Alice)
	require.Equal(t, http.StatusOK, whole.Status, whole.Body)
	require.Equal(t, "gmail", s.connected(me["user_id"].(string))[0].Provider, "the seed's way: to sign in is to connect the mailbox")
	stand.NewBrowser().SignIn(t, s.url+"/auth/google/login?scope=identity", stand.Alice)
	require.Len(t, s.connected(me["user_id"].(string)), 1, "what is granted stays, and nothing else is")
	require.NotContains(t, s.logs.String(), answer["access_token"])
}

// T-17: the state works once, in the browser that began, and nowhere else.
func TestCallbackIsBoundToItsBrowser(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	victim, thief := stand.NewBrowser(), stand.NewBrowser()
	stolen := victim.Callback(t, s.url+"/auth/google/login", stand.Alice).String()
	refused(t, thief.Open(t, stolen), http.StatusBadRequest, oauth.CodeStateInvalid)
	refused(t, victim.Open(t, stolen), http.StatusBadRequest, oauth.CodeStateInvalid)
	require.Zero(t, s.google.Count(stand.Exchange), "no code went to the provider")

	mine := victim.Callback(t, s.url+"/auth/google/login", stand.Alice).String()
	require.Equal(t, http.StatusOK, victim.Open(t, mine).Status)
	refused(t, victim.Open(t, mine), http.StatusBadRequest, oauth.CodeStateInvalid)
	require.Equal(t, 1, s.google.Count(stand.Exchange), "a replay asks nobody")

	// A code of somebody else's in one's own flow: PKCE and nonce are of another flow.
	other := thief.Callback(t, s.url+"/auth/google/login", stand.Bob)
	own := victim.Callback(t, s.url+"/auth/google/login", stand.Alice)
	query := own.Query()
	query.Set("code", other.Query().Get("code"))
	own.RawQuery = query.Encode()
	refused(t, victim.Open(t, own.String()), http.StatusBadRequest, oauth.CodeCodeRefused)
}

func TestTwoTabsDoNotDisturbEachOther(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	browser := stand.NewBrowser()
	first := browser.Callback(t, s.url+"/auth/google/login", stand.Alice).String()
	second := browser.Callback(t, s.link("carol", ""), stand.Alice).String()
	require.Equal(t, http.StatusOK, browser.Open(t, first).Status)
	require.Equal(t, "/api/integrations/callback", browser.Open(t, second).URL.Path)
}

func TestWhoeverSaysNoIsToldSo(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	browser := stand.NewBrowser()
	back := browser.Callback(t, s.url+"/auth/google/login", stand.Alice)
	answer := func(query url.Values) stand.Page {
		begun := browser.Callback(t, s.url+"/auth/google/login", stand.Alice)
		query.Set("state", begun.Query().Get("state"))
		back.RawQuery = query.Encode()
		return browser.Open(t, back.String())
	}
	no := answer(url.Values{"error": {"access_denied"}, "error_description": {canary}, "authuser": {"0"}, "hd": {"example.com"}})
	refused(t, no, http.StatusForbidden, oauth.CodeConsentDenied)
	require.NotContains(t, no.Body, canary)
	refused(t, answer(url.Values{"error": {canary}}), http.StatusBadGateway, oauth.CodeProvider)
	refused(t, answer(url.Values{"code": {"x"}, "iss": {"https://evil.test"}}), http.StatusForbidden, oauth.CodeIssuerMismatch)
	require.Zero(t, s.google.Count(stand.Exchange))
}

// Seed 002: who refuses to connect an account comes back to the application that sent them, once, and with no more than
// that. Without an application they are told why.
func TestWhoeverSaysNoComesBackToTheApplication(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	browser := stand.NewBrowser()
	answer := func(redirect string, query url.Values) stand.Page {
		back := browser.Callback(t, s.link("carol", redirect), stand.Alice)
		query.Set("state", back.Query().Get("state"))
		back.RawQuery = query.Encode()
		page := browser.Open(t, back.String())
		refused(t, browser.Open(t, back.String()), http.StatusBadRequest, oauth.CodeStateInvalid)
		return page
	}
	for _, query := range []url.Values{
		{"error": {"access_denied"}, "error_description": {canary}}, {"error": {canary}}, {"code": {"x"}, "iss": {"https://evil.test"}}, {"code": {"x"}}, {},
	} {
		page := answer(s.app+"/connectors?callback=true", query)
		require.Equal(t, s.app+"/connectors?appName=mail&callback=true&status=error", page.URL.String(), query)
	}
	landed := answer("/api/integrations/callback", url.Values{"error": {"access_denied"}})
	require.Contains(t, landed.Body, "Mail was not connected")
	refused(t, answer("", url.Values{"error": {"access_denied"}}), http.StatusForbidden, oauth.CodeConsentDenied)
	require.Empty(t, s.connected("carol"))

	thief := browser.Callback(t, s.link("carol", s.app+"/connectors"), stand.Alice)
	refused(t, stand.NewBrowser().Open(t, thief.String()), http.StatusBadRequest, oauth.CodeStateInvalid)
}

// Whoever follows a link that was made for somebody else sees so where the browser ends up.
func TestLandingNamesTheUser(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, redirect := range []string{"", "/api/integrations/callback?user_id=alice", s.url + "/api/integrations/./callback"} {
		page := stand.NewBrowser().SignIn(t, s.link("carol", redirect), stand.Alice)
		var landed map[string]string
		require.NoError(t, json.Unmarshal([]byte(page.Body), &landed), page.Body)
		require.Equal(t, `Mail is connected for the user "carol". You may close this page.`, landed["message"])
	}
	said := decoded[map[string]string](t, s.do(call{path: "/api/integrations/callback?status=success&appName=mail&user_id=" + url.QueryEscape("<b>\u202e\"\n")}), http.StatusOK)
	require.Equal(t, `Mail is connected for the user "<b>\u202e\"\n". You may close this page.`, said["message"])
	said = decoded[map[string]string](t, s.do(call{path: "/api/integrations/callback?status=success&appName=mail"}), http.StatusOK)
	require.Equal(t, "Mail is connected. You may close this page.", said["message"])
}

func TestConnectAndDisconnect(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	link := s.link("carol", s.app+"/connectors?callback=true")
	require.True(t, strings.HasPrefix(link, s.url+"/auth/google/login?link="), link)

	page := stand.NewBrowser().SignIn(t, link, stand.Alice)
	require.Equal(t, s.app+"/connectors?appName=mail&callback=true&status=success", page.URL.String())
	connected := s.connected("carol")
	require.Len(t, connected, 1)
	require.Equal(t, "mail", connected[0].Provider)
	require.Equal(t, "carol", connected[0].UserID)
	require.Equal(t, "active", connected[0].Status)
	require.Equal(t, stand.Alice, connected[0].Email)
	require.Subset(t, connected[0].Scopes, []string{"mail.readonly", "mail.send"})
	require.NotContains(t, connected[0].Scopes, "mail.all", "the least that suffices is asked for")
	require.NotContains(t, connected[0].Scopes, "gmail.readonly", "what belongs to nothing else")
	require.Empty(t, s.connected("bob"), "somebody else")

	out := func(owner string) *httptest.ResponseRecorder {
		return s.do(call{method: http.MethodPost, path: "/api/integrations/disconnect", body: `{"provider":"mail"}`, token: s.token(owner, auth.User)})
	}
	problem(t, out("bob"), http.StatusUnprocessableEntity)
	require.JSONEq(t, `{"success":true,"disconnected":["mail"]}`, out("carol").Body.String())
	require.Equal(t, 1, s.google.Count(stand.Revocation))
	require.Empty(t, s.connected("carol"))
	problem(t, out("carol"), http.StatusUnprocessableEntity)
}

func TestLessMayBeGranted(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.google.Grant(stand.Grant{Scopes: "openid email mail.readonly"})
	page := stand.NewBrowser().SignIn(t, s.link("carol", ""), stand.Alice)
	require.Equal(t, "/api/integrations/callback", page.URL.Path)
	var landed map[string]string
	require.NoError(t, json.Unmarshal([]byte(page.Body), &landed))
	require.Equal(t, "partial", landed["status"])
	require.Equal(t, "mail", landed["appName"])
	require.Contains(t, landed["message"], "Mail is connected")
	require.NotContains(t, s.connected("carol")[0].Scopes, "mail.send")
}

// A link is for one user and works once; who only looks does not use it up.
func TestLinksWorkOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	link := s.link("carol", "")
	tampered := link[:len(link)-2] + "AA"
	require.NotEqual(t, tampered, link)
	refused(t, stand.NewBrowser().Open(t, tampered), http.StatusForbidden, oauth.CodeLinkInvalid)
	path := strings.TrimPrefix(link, s.url)
	require.Equal(t, http.StatusMethodNotAllowed, s.do(call{method: http.MethodHead, path: path}).Code)
	w := s.do(call{path: path + "&user_id=bob"})
	require.Equal(t, auth.CodeOwnerMismatch, problem(t, w, http.StatusForbidden).Code)

	link = s.link("carol", "")
	require.Equal(t, http.StatusFound, s.do(call{path: strings.TrimPrefix(link, s.url) + "&user_id=carol"}).Code)
	refused(t, stand.NewBrowser().Open(t, link), http.StatusForbidden, oauth.CodeLinkInvalid)
	require.Empty(t, s.connected("bob"))
	require.Empty(t, s.connected("carol"))
}
