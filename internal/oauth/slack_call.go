package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"steward/internal/secret"
)

// slackAnswer is what we read of the answers of oauth.v2.access and auth.test.
type slackAnswer struct {
	slackRefusal
	slackToken
	User slackToken `json:"authed_user"`

	TeamID   string `json:"team_id"`
	TeamName string `json:"team"` // an object in answers of oauth.v2.access, of which nothing is needed
	UserID   string `json:"user_id"`
	UserName string `json:"user"`
}

// UnmarshalJSON reads the two forms of team.
func (a *slackAnswer) UnmarshalJSON(doc []byte) error {
	type plain slackAnswer
	var read struct {
		*plain
		Team json.RawMessage `json:"team"`
	}
	read.plain = (*plain)(a)
	if err := json.Unmarshal(doc, &read); err != nil {
		return err
	}
	if len(read.Team) > 0 && read.Team[0] == '"' {
		return json.Unmarshal(read.Team, &a.TeamName)
	}
	return nil
}

type slackToken struct {
	AccessToken  string `json:"access_token"`
	TokenType    string `json:"token_type"`
	Scope        string `json:"scope"`
	RefreshToken string `json:"refresh_token"`
	ExpiresIn    int64  `json:"expires_in"` // seconds; 0: it does not end by itself
}

// endless is how long a token is taken to live that does not end by itself.
const endless = 100 * 365 * 24 * time.Hour

func (t slackToken) token() (*oauth2.Token, error) {
	if t.AccessToken == "" || t.TokenType != "user" {
		return nil, errors.New("read tokens: none of a person")
	}
	life := time.Duration(t.ExpiresIn) * time.Second
	if t.ExpiresIn <= 0 || life <= 0 || life > endless {
		life = endless
	}
	out := &oauth2.Token{AccessToken: t.AccessToken, RefreshToken: t.RefreshToken, Expiry: time.Now().Add(life)}
	return out.WithExtra(map[string]any{"scope": strings.ReplaceAll(t.Scope, ",", " ")}), nil
}

// access asks the token endpoint as our client.
func (a *slack) access(ctx context.Context, form url.Values) (slackAnswer, error) {
	return a.call(ctx, "oauth.v2.access", form, func(req *http.Request) { req.SetBasicAuth(a.ClientID, a.ClientSecret.Reveal()) })
}

func bearing(token secret.String) func(*http.Request) {
	return func(req *http.Request) { req.Header.Set("Authorization", "Bearer "+token.Reveal()) }
}

// call calls a method of Slack's Web API. A refusal is an *oauth2.RetrieveError with the word that RFC 6749 §5.2 has for
// it, if it has one.
func (a *slack) call(ctx context.Context, method string, form url.Values, authorize func(*http.Request)) (slackAnswer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, a.address("/api/"+method), strings.NewReader(form.Encode()))
	if err != nil {
		return slackAnswer{}, fmt.Errorf("%s: %w", method, err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	authorize(req)
	res, err := a.client.Do(req)
	if err != nil {
		return slackAnswer{}, fmt.Errorf("%s: %w", method, err)
	}
	defer func() { _ = res.Body.Close() }()
	var answer slackAnswer
	decoded := json.NewDecoder(res.Body).Decode(&answer)
	switch {
	case res.StatusCode != http.StatusOK:
		return slackAnswer{}, &oauth2.RetrieveError{Response: res, ErrorCode: answer.Error}
	case decoded != nil:
		return slackAnswer{}, fmt.Errorf("%s: decode answer: %w", method, decoded)
	case !answer.OK:
		return slackAnswer{}, &oauth2.RetrieveError{Response: res, ErrorCode: answer.word()}
	}
	return answer, nil
}
