package oauth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/oauth2"

	"steward/internal/fault"
	"steward/internal/secret"
	"steward/internal/store"
)

// ask asks again, in a step-up, for what is there: a provider may answer with what was asked for alone. Whose
// login it is, nobody knows yet: there the provider adds what was granted before.
func (a *openID) ask(ctx context.Context, b Begin, row *store.Credential, f flow) (request, error) {
	found, err := a.endpoints(ctx)
	if err != nil {
		return request{}, err
	}
	scopes := append([]string{}, b.Scopes...) // never nil: the column takes none
	var ask Ask
	switch {
	case b.Purpose == Login:
		ask = Ask{StepUp: len(scopes) > 0}
	case row == nil:
		ask = Ask{Renew: true}
	default:
		ask = Ask{StepUp: true, Hint: row.Account}
		ask.Renew = row.State != active || row.RefreshSealed == nil || len(without(scopes, row.Scopes)) > 0
		scopes = append(scopes, without(row.Scopes, slices.Concat(scopes, a.Identity))...)
	}
	options := []oauth2.AuthCodeOption{oauth2.S256ChallengeOption(f.verifier), oauth2.SetAuthURLParam("nonce", f.nonce)}
	for name, values := range a.Authorize(ask) {
		options = append(options, oauth2.SetAuthURLParam(name, values[0]))
	}
	return request{url: a.config(found, slices.Concat(a.Identity, scopes)).AuthCodeURL(f.state, options...), scopes: scopes}, nil
}

// answered compares issuers (RFC 9207 §2.4): against mix-up.
func (a *openID) answered(ctx context.Context, _ *store.OauthFlow, c Callback) error {
	found, err := a.endpoints(ctx)
	if err != nil {
		return err
	}
	if c.Issuer != a.Issuer && (c.Issuer != "" || found.issuerSent) {
		return foreign(a)
	}
	return nil
}

// exchange brings a code to the provider and finds out who gave it what.
func (a *openID) exchange(ctx context.Context, f *store.OauthFlow, code, verifier string) (grant, error) {
	found, err := a.endpoints(ctx)
	if err != nil {
		return grant{}, err
	}
	t, err := a.config(found, nil).Exchange(context.WithValue(ctx, oauth2.HTTPClient, a.client), code, oauth2.VerifierOption(verifier))
	if err != nil {
		refused, failure := failure(a.Title, err)
		if refused {
			failure = refusedCode(a, failure)
		}
		return grant{}, failure
	}
	who, err := a.identify(ctx, found, t, f.Nonce)
	if err != nil {
		return grant{}, err
	}
	// RFC 6749 §5.1: without scope, what was asked for is granted.
	return grant{token: t, who: who, scopes: granted(t, slices.Concat(a.Identity, f.Scopes))}, nil
}

func (a *openID) refresh(ctx context.Context, row *store.Credential, token secret.String) (*oauth2.Token, error) {
	found, err := a.endpoints(ctx)
	if err != nil {
		return nil, err
	}
	ctx = context.WithValue(ctx, oauth2.HTTPClient, a.client)
	answer, err := a.config(found, nil).TokenSource(ctx, &oauth2.Token{RefreshToken: token.Reveal()}).Token()
	if err == nil {
		return answer, nil
	}
	refused, failure := failure(a.Title, err)
	if refused {
		return nil, over(a, row)
	}
	return nil, failure
}

// revoke asks the provider to end a grant (RFC 7009).
func (a *openID) revoke(ctx context.Context, row *store.Credential, token secret.String, hint string) error {
	found, err := a.endpoints(ctx)
	if err != nil {
		return err
	}
	if found.revocation == "" {
		return errors.New("revoke: the provider has no endpoint for it")
	}
	form := url.Values{
		"token": {token.Reveal()}, "token_type_hint": {hint}, "client_id": {a.ClientID}, "client_secret": {a.ClientSecret.Reveal()},
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, found.revocation, strings.NewReader(form.Encode()))
	if err != nil {
		return fmt.Errorf("revoke: %w", err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := a.client.Do(req)
	if err != nil {
		return fmt.Errorf("revoke: %w", err)
	}
	if err := res.Body.Close(); err != nil {
		return fmt.Errorf("revoke: %w", err)
	}
	// A token that is unknown or ended already is answered with 200 (§2.2), by Google with 400.
	if res.StatusCode != http.StatusOK && (row.State == active || res.StatusCode != http.StatusBadRequest) {
		return fmt.Errorf("revoke: status %d", res.StatusCode)
	}
	return nil
}

func (a *openID) config(found *endpoints, scopes []string) *oauth2.Config {
	return &oauth2.Config{
		ClientID: a.ClientID, ClientSecret: a.ClientSecret.Reveal(), Endpoint: found.Endpoint, Scopes: scopes, RedirectURL: a.callback,
	}
}

// foreign is the answer of somebody else than was asked.
func foreign(a authority) error {
	return fault.New(fault.Forbidden, "this answer does not come from %s", a.title()).WithCode(CodeIssuerMismatch)
}

// refusedCode is the failure of an exchange that a person can begin again.
func refusedCode(a authority, err error) error {
	return fault.Wrap(err, fault.Malformed, "%s does not take its own code: begin again", a.title()).WithCode(CodeCodeRefused)
}
