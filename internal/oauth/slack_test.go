package oauth_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/dev/counterpart/slack"
	"steward/internal/config"
	"steward/internal/fault"
	"steward/internal/oauth"
	"steward/internal/secret"
	"steward/internal/store"
)

// slackAt registers us with a Slack at an address.
func slackAt(address string) func(o *oauth.Options) {
	return func(o *oauth.Options) {
		o.Providers = []oauth.Provider{oauth.Slack(config.Slack{
			SlackID: slack.ClientID, SlackSecret: secret.New(slack.ClientSecret), SlackURL: address,
		})}
	}
}

func beginSlack(t testing.TB, s *oauth.Service, scopes ...string) oauth.Begun {
	t.Helper()
	begun, err := s.Begin(t.Context(), oauth.Begin{Purpose: oauth.Connect, Owner: "alice", Provider: "slack", Connector: "slack", Scopes: scopes})
	require.NoError(t, err)
	return begun
}

func finishSlack(t testing.TB, s *oauth.Service, begun oauth.Begun) oauth.Finished {
	t.Helper()
	q := slack.Consent(t, begun.URL, slack.Alice).Query()
	finished, err := s.Finish(t.Context(), oauth.Callback{Provider: "slack", State: q.Get("state"), Code: q.Get("code"), Browser: begun.Browser})
	require.NoError(t, err)
	return finished
}

// ask calls a method of Slack's as a connector does.
func ask(t testing.TB, s *oauth.Service, method string) (map[string]any, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.APIURL("slack")+"/api/"+method, strings.NewReader(url.Values{"channel": {"C000000001"}}.Encode()))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := s.Client("alice", "slack").Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { require.NoError(t, res.Body.Close()) }()
	var answer map[string]any
	require.NoError(t, json.NewDecoder(res.Body).Decode(&answer))
	return answer, nil
}

func consentOf(t testing.TB, err error) *oauth.ConsentError {
	t.Helper()
	need, ok := errors.AsType[*oauth.ConsentError](err)
	require.True(t, ok, "%v", err)
	return need
}

// The life of a grant at a Slack that we have not written: consent, a scope that is missing and a step-up that keeps
// what there was, revocation by the person, consent again, disconnect.
func TestSlack(t *testing.T) {
	t.Parallel()
	workspace := slack.Start(t, slack.Options{Redirects: []string{publicURL + "/auth/slack/callback"}})
	site := newSite(t)
	s := site.process(t, site.db, slackAt(workspace.URL))
	begun := beginSlack(t, s, "channels:read", "chat:write")
	require.Equal(t, "channels:read,chat:write", query(t, begun.URL).Get("user_scope"))
	require.False(t, query(t, begun.URL).Has("scope"), "no bot is asked for")
	first := finishSlack(t, s, begun)
	require.Equal(t, "alice (Acme)", first.Credential.Account)
	require.Equal(t, []string{"channels:read", "chat:write"}, first.Credential.Scopes)
	require.Greater(t, time.Until(first.Credential.Expires), 24*365*time.Hour, "it does not end by itself")
	answer, err := ask(t, s, "conversations.list")
	require.NoError(t, err)
	require.Equal(t, true, answer["ok"])

	_, err = ask(t, s, "conversations.history")
	need := consentOf(t, err)
	require.Equal(t, []string{"channels:history"}, need.Scopes)
	require.Equal(t, first.Credential.Version, need.Version)
	begun = beginSlack(t, s, need.Scopes...)
	require.Equal(t, "channels:history,channels:read,chat:write", query(t, begun.URL).Get("user_scope"))
	require.Equal(t, "T000000001", query(t, begun.URL).Get("team"))
	second := finishSlack(t, s, begun)
	require.Empty(t, second.Missing)
	_, err = ask(t, s, "conversations.history")
	require.NoError(t, err)

	workspace.RevokeAll()
	_, err = ask(t, s, "conversations.list")
	require.Contains(t, consentOf(t, err).Reason, "Slack has ended the access")
	ended, err := s.Credential(t.Context(), "alice", "slack")
	require.NoError(t, err)
	require.False(t, ended.Active)

	require.Greater(t, finishSlack(t, s, beginSlack(t, s, "channels:read")).Credential.Version, second.Credential.Version)
	token, _, err := s.Token(t.Context(), "alice", "slack")
	require.NoError(t, err)
	require.NoError(t, s.Disconnect(t.Context(), "alice", "slack", "alice"))
	require.Equal(t, 1, workspace.Count(slack.Revoke))
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, workspace.URL+"/api/auth.test", http.NoBody)
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+token.Reveal())
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	said, err := io.ReadAll(res.Body)
	require.NoError(t, errors.Join(err, res.Body.Close()))
	require.Contains(t, string(said), "token_revoked")
}

func TestSlackSignsNobodyIn(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	s := site.process(t, site.db, slackAt(""))
	_, err := s.Begin(t.Context(), oauth.Begin{Purpose: oauth.Login, Provider: "slack"})
	require.Equal(t, oauth.CodeLoginRefused, fault.CodeOf(err))
}

// T-16: a token of Slack's goes to Slack alone.
func TestT16SlacksTokenGoesToSlackAlone(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	s := site.process(t, site.db, slackAt(""))
	for _, address := range []string{"https://slack.com.evil.example/", "https://evilslack.com/", "http://slack.com/", "https://www.googleapis.com/"} {
		_, err := call(t.Context(), s.Client("alice", "slack"), address)
		require.Equal(t, oauth.CodeHostRefused, fault.CodeOf(err), address)
	}
	for _, address := range []string{"https://slack.com/api/auth.test", "https://files.slack.com/x"} {
		_, err := call(t.Context(), s.Client("alice", "slack"), address)
		require.Equal(t, "Slack is not connected", consentOf(t, err).Reason, address)
	}
}

// rotating is a Slack whose tokens end, as documented: there is none to run.
func rotating(t *testing.T, answers map[string]string) (*httptest.Server, *[]url.Values) {
	t.Helper()
	var asked []url.Values
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			return
		}
		kind := strings.TrimPrefix(r.URL.Path, "/api/")
		if r.PostForm.Get("grant_type") == "refresh_token" {
			kind = "refresh"
			id, password, _ := r.BasicAuth()
			r.PostForm.Set("client", id+" "+password)
			asked = append(asked, r.PostForm)
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, answers[kind]) // who has gone away needs no answer
	}))
	t.Cleanup(server.Close)
	return server, &asked
}

// With token rotation (https://docs.slack.dev/authentication/using-token-rotation) an access token lives 12 hours.
func TestSlackTokenRotation(t *testing.T) {
	t.Parallel()
	answers := map[string]string{
		"oauth.v2.access": `{"ok":true,"app_id":"A1","authed_user":{"id":"U1","scope":"chat:write,users:read","access_token":"xoxe.xoxp-1","token_type":"user",
			"refresh_token":"xoxe-1","expires_in":43200},"team":{"id":"T1","name":"Acme"},"enterprise":null,"is_enterprise_install":false}`,
		"auth.test": `{"ok":true,"url":"https://acme.slack.com/","team":"Acme","user":"alice","team_id":"T1","user_id":"U1"}`,
		"refresh": `{"ok":true,"app_id":"A1","access_token":"xoxe.xoxp-2","expires_in":43200,"refresh_token":"xoxe-2","token_type":"user",
			"scope":"chat:write","user_id":"U1","team":{"id":"T1","name":"Acme"}}`,
	}
	server, asked := rotating(t, answers)
	site := newSite(t)
	s := site.process(t, site.db, slackAt(server.URL))
	begun := beginSlack(t, s, "chat:write")
	done, err := s.Finish(t.Context(), oauth.Callback{Provider: "slack", State: query(t, begun.URL).Get("state"), Code: "c", Browser: begun.Browser})
	require.NoError(t, err)
	require.InDelta(t, 12, time.Until(done.Credential.Expires).Hours(), 0.1)
	require.Equal(t, "T1/U1", done.Credential.Subject)
	token, version, err := s.Refresh(t.Context(), "alice", "slack", done.Credential.Version)
	require.NoError(t, err)
	require.Equal(t, "xoxe.xoxp-2", token.Reveal())
	require.Equal(t, "xoxe-1", (*asked)[0].Get("refresh_token"))
	require.Equal(t, slack.ClientID+" "+slack.ClientSecret, (*asked)[0].Get("client"))
	row, err := site.db.GetCredential(t.Context(), store.GetCredentialParams{Owner: "alice", Provider: "slack"})
	require.NoError(t, err)
	require.Equal(t, []string{"chat:write"}, row.Scopes)

	answers["refresh"] = `{"ok":false,"error":"internal_error"}`
	_, _, err = s.Refresh(t.Context(), "alice", "slack", version)
	require.Equal(t, oauth.CodeProvider, fault.CodeOf(err))
	answers["refresh"] = `{"ok":false,"error":"invalid_refresh_token"}`
	_, _, err = s.Refresh(t.Context(), "alice", "slack", version)
	require.Contains(t, consentOf(t, err).Reason, "has ended the access")
	require.Equal(t, "xoxe-2", (*asked)[2].Get("refresh_token"))
}

func TestAnswersOfSlacksTokenEndpoint(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	answers := map[string]string{}
	server, _ := rotating(t, answers)
	s := site.process(t, site.db, slackAt(server.URL))
	const good = `{"ok":true,"authed_user":{"access_token":"x","token_type":"user"}}`
	for name, c := range map[string]struct{ access, whose, code string }{
		"code of another flow":   {`{"ok":false,"error":"invalid_code"}`, "", oauth.CodeCodeRefused},
		"code that was used":     {`{"ok":false,"error":"code_already_used"}`, "", oauth.CodeCodeRefused},
		"client refused":         {`{"ok":false,"error":"bad_client_secret"}`, "", oauth.CodeMisconfigured},
		"failed":                 {`{"ok":false,"error":"fatal_error"}`, "", oauth.CodeProvider},
		"no JSON":                {`<html>`, "", oauth.CodeProvider},
		"a bot alone":            {`{"ok":true,"access_token":"xoxb-1","token_type":"bot","authed_user":{"id":"U1"}}`, "", oauth.CodeProvider},
		"nobody":                 {good, `{"ok":true,"team":"Acme","user":"alice"}`, oauth.CodeIdentityInvalid},
		"a name that is no text": {good, `{"ok":true,"team":"A\u0000","user":"alice","team_id":"T1","user_id":"U1"}`, oauth.CodeIdentityInvalid},
		"a token that is none":   {good, `{"ok":false,"error":"invalid_auth"}`, oauth.CodeProvider},
	} {
		answers["oauth.v2.access"], answers["auth.test"] = c.access, c.whose
		begun := beginSlack(t, s, "chat:write")
		_, err := s.Finish(t.Context(), oauth.Callback{Provider: "slack", State: query(t, begun.URL).Get("state"), Code: "c", Browser: begun.Browser})
		require.Equal(t, c.code, fault.CodeOf(err), name)
		require.NotContains(t, fault.Text(err), "xoxb")
	}
	begun := beginSlack(t, s, "chat:write")
	_, err := s.Finish(t.Context(), oauth.Callback{Provider: "slack", State: query(t, begun.URL).Get("state"), Code: "c", Issuer: "https://evil.example", Browser: begun.Browser})
	require.Equal(t, oauth.CodeIssuerMismatch, fault.CodeOf(err))
}
