package oauth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/oauth2"

	"steward/internal/config"
	"steward/internal/fault"
	"steward/internal/secret"
	"steward/internal/store"
)

// Slack is our registration with Slack, or with an emulator of it.
func Slack(c config.Slack) Provider {
	return Provider{
		Name: "slack", Title: "Slack", ClientID: c.SlackID, ClientSecret: c.SlackSecret,
		APIURL: c.SlackURL, Hosts: []string{"slack.com", ".slack.com"}, open: openSlack,
	}
}

// slack is OAuth as Slack has it (https://docs.slack.dev/authentication/installing-with-oauth): scopes are separated by
// commas, errors come with status 200, and no ID token says who has consented.
//
// Tokens are those of the person who consents (user_scope), not of a bot: a workspace has one bot of ours, and the first
// who disconnects would take it from all others.
//
// There is no PKCE: it would make our app at Slack a public client for good, whose refresh tokens end after 30 days
// (https://docs.slack.dev/authentication/using-pkce). A code is bound by the client's secret, the redirect URI, the state
// and the browser's cookie.
type slack struct {
	apis
	client   *http.Client
	callback string
}

// slackURL is where both the consent page and the APIs are.
const slackURL = "https://slack.com"

func openSlack(p Provider, client *http.Client, callback string) (named, error) {
	if p.ClientID == "" || p.ClientSecret.IsZero() {
		return nil, errors.New("oauth: Slack needs a client id and its secret")
	}
	at, err := newAPIs(p)
	if err != nil {
		return nil, err
	}
	return &slack{apis: at, client: client, callback: callback}, nil
}

func (a *slack) address(path string) string {
	if a.APIURL != "" {
		return strings.TrimRight(a.APIURL, "/") + path
	}
	return slackURL + path
}

// ask asks again for what is there, in the workspace where it was granted.
func (a *slack) ask(_ context.Context, b Begin, row *store.Credential, f flow) (request, error) {
	if b.Purpose == Login {
		return request{}, fault.New(fault.Forbidden, "nobody signs in with Slack").WithCode(CodeLoginRefused)
	}
	scopes := append([]string{}, b.Scopes...) // never nil: the column takes none
	query := url.Values{"client_id": {a.ClientID}, "redirect_uri": {a.callback}, "state": {f.state}}
	if row != nil {
		scopes = append(scopes, without(row.Scopes, append([]string{"identify"}, scopes...))...) // which cannot be asked for
		if team, _, ok := strings.Cut(row.Subject, "/"); ok {
			query.Set("team", team)
		}
	}
	query.Set("user_scope", strings.Join(scopes, ","))
	return request{url: a.address("/oauth/v2/authorize") + "?" + query.Encode(), scopes: scopes}, nil
}

// answered: Slack names no issuer.
func (a *slack) answered(_ context.Context, _ *store.OauthFlow, c Callback) error {
	if c.Issuer != "" {
		return foreign(a)
	}
	return nil
}

// exchange brings a code to Slack, and asks with the new token whose it is.
func (a *slack) exchange(ctx context.Context, f *store.OauthFlow, code, _ string) (grant, error) {
	answer, err := a.access(ctx, url.Values{"code": {code}, "redirect_uri": {a.callback}})
	if err != nil {
		refused, failure := failure(a.Title, err)
		if refused {
			failure = refusedCode(a, failure)
		}
		return grant{}, failure
	}
	t, err := answer.User.token()
	if err != nil {
		return grant{}, fault.Wrap(err, fault.Upstream, "Slack gave no access to the account of a person").WithCode(CodeProvider)
	}
	who, err := a.whose(ctx, secret.New(t.AccessToken))
	if err != nil {
		return grant{}, err
	}
	return grant{token: t, who: who, scopes: granted(t, f.Scopes)}, nil
}

// whose asks whose a token is. The account's mail address is not among what we may know: the name stands for it.
func (a *slack) whose(ctx context.Context, token secret.String) (identity, error) {
	answer, err := a.call(ctx, "auth.test", url.Values{}, bearing(token))
	if err != nil {
		_, failure := failure(a.Title, err)
		return identity{}, failure
	}
	who := identity{Subject: answer.TeamID + "/" + answer.UserID, Email: fmt.Sprintf("%s (%s)", answer.UserName, answer.TeamName)}
	if answer.TeamID == "" || answer.UserID == "" || len(who.Subject) > maxSubject || strings.ContainsFunc(who.Subject+who.Email, unprintable) {
		return identity{}, fault.New(fault.Forbidden, "Slack did not say who you are: begin again").WithCode(CodeIdentityInvalid)
	}
	return who, nil
}

// refresh is for an app with token rotation. Without, there is no refresh token and no end of the access token.
func (a *slack) refresh(ctx context.Context, row *store.Credential, token secret.String) (*oauth2.Token, error) {
	answer, err := a.access(ctx, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token.Reveal()}})
	if err != nil {
		refused, failure := failure(a.Title, err)
		if refused {
			return nil, over(a, row)
		}
		return nil, failure
	}
	renewed, err := answer.token()
	if err != nil {
		renewed, err = answer.User.token()
	}
	if err != nil {
		return nil, fault.Wrap(fmt.Errorf("%w: %w", errAnswered, err), fault.Upstream, "Slack does not answer as it should").WithCode(CodeProvider)
	}
	return renewed, nil
}

// revoke ends a token (https://docs.slack.dev/reference/methods/auth.revoke). One that has ended already is no failure.
func (a *slack) revoke(ctx context.Context, _ *store.Credential, token secret.String, _ string) error {
	_, err := a.call(ctx, "auth.revoke", url.Values{}, bearing(token))
	if refused, _ := failure(a.Title, err); err == nil || refused {
		return nil
	}
	return fmt.Errorf("revoke: %w", err)
}
