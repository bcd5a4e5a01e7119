package slack_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/dev/counterpart/slack"
)

// ask calls a method with a token and returns what was said.
func ask(t *testing.T, s *slack.Server, method slack.Method, token string, form url.Values) map[string]any {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/api/"+string(method), strings.NewReader(form.Encode()))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	var said map[string]any
	require.NoError(t, json.NewDecoder(res.Body).Decode(&said))
	require.NoError(t, res.Body.Close())
	return said
}

func TestTokens(t *testing.T) {
	t.Parallel()
	const back = "http://steward.test/auth/slack/callback"
	s := slack.Start(t, slack.Options{Redirects: []string{back}})
	consent := s.URL + "/oauth/v2/authorize?" + url.Values{
		"client_id": {slack.ClientID}, "user_scope": {"channels:read"}, "redirect_uri": {back}, "state": {"state-1"},
	}.Encode()
	callback := slack.Consent(t, consent, slack.Bob)
	require.Equal(t, "state-1", callback.Query().Get("state"))
	form := url.Values{
		"client_id": {slack.ClientID}, "client_secret": {slack.ClientSecret}, "code": {callback.Query().Get("code")}, "redirect_uri": {back},
	}
	user, _ := ask(t, s, slack.Access, "", form)["authed_user"].(map[string]any)
	token, _ := user["access_token"].(string)
	require.NotEmpty(t, token)
	require.Equal(t, "invalid_code", ask(t, s, slack.Access, "", form)["error"])

	require.Equal(t, true, ask(t, s, slack.Channels, token, nil)["ok"])
	require.Equal(t, slack.Bob, ask(t, s, slack.Whose, token, nil)["user"])
	refused := ask(t, s, slack.Users, token, nil)
	require.Equal(t, "missing_scope", refused["error"])
	require.Equal(t, "users:read", refused["needed"])
	require.Equal(t, "not_authed", ask(t, s, slack.Channels, "", nil)["error"])
	require.Equal(t, "invalid_auth", ask(t, s, slack.Channels, "xoxp-unknown", nil)["error"])
	require.Equal(t, true, ask(t, s, slack.Revoke, token, nil)["revoked"])
	require.Equal(t, "token_revoked", ask(t, s, slack.Channels, token, nil)["error"])
	s.RevokeAll()
	require.Equal(t, true, ask(t, s, slack.Channels, s.Token(), nil)["ok"], "the test's own goes on")
}

func TestFaults(t *testing.T) {
	t.Parallel()
	s := slack.Start(t, slack.Options{})
	s.Inject(slack.Users, 1, slack.Fault{Error: "ratelimited", Status: http.StatusTooManyRequests, RetryAfter: time.Second})
	require.Equal(t, "ratelimited", ask(t, s, slack.Users, s.Token(), nil)["error"])
	require.Equal(t, true, ask(t, s, slack.Users, s.Token(), nil)["ok"])
	require.Equal(t, 2, s.Count(slack.Users))
	ts := s.Say(t, "deploys", "v1")
	require.Equal(t, ts, s.Messages(t, "deploys")[0].TS)
	require.Zero(t, s.Count(slack.Post), "looks of the test are not counted")
}
