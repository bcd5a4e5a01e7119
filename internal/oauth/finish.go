package oauth

import (
	"context"
	"crypto/hmac"
	"fmt"
	"slices"
	"time"

	"golang.org/x/oauth2"

	"steward/internal/fault"
	"steward/internal/secret"
	"steward/internal/store"
)

// tellTime bounds how long a callback waits until those who wait for the consent were told.
const tellTime = 5 * time.Second

// Callback is what the browser brings back from the provider (RFC 6749 §4.1.2, RFC 9207), and its cookie.
type Callback struct {
	Provider, State, Code, Issuer, Error string
	Browser                              secret.String
}

// Finished is a flow that led to a grant.
type Finished struct {
	Purpose    Purpose
	Owner      string // of a login: the provider's name, a hyphen, and its id of the account
	Connector  string
	Redirect   string
	Credential Credential
	Missing    []string // asked for and not granted
}

// Finish ends a flow: the state is used up whatever happens, and nothing is sent to the provider before it,
// the browser and the issuer are right. Faults have the codes of this package; what the provider or the
// browser said is never repeated in them.
func (s *Service) Finish(ctx context.Context, c Callback) (Finished, error) {
	a, err := s.authority(c.Provider)
	if err != nil {
		return Finished{}, err
	}
	found, err := a.endpoints(ctx)
	if err != nil {
		return Finished{}, err
	}
	f, err := s.useFlow(ctx, c)
	if err != nil {
		return Finished{}, err
	}
	if err := a.answered(found, c); err != nil {
		return Finished{}, err
	}
	g, err := s.exchange(ctx, a, found, f, c.Code)
	if err != nil {
		return Finished{}, err
	}
	owner := f.Owner
	if Purpose(f.Purpose) == Login {
		owner = a.Name + "-" + g.who.Subject
		if err := s.admit(ctx, f, owner, g.who); err != nil {
			return Finished{}, err
		}
	}
	row, err := s.put(ctx, f, owner, g)
	if err != nil {
		return Finished{}, err
	}
	telling, cancel := context.WithTimeout(context.WithoutCancel(ctx), tellTime)
	defer cancel()
	s.consented(telling, owner)
	return Finished{
		Purpose: Purpose(f.Purpose), Owner: owner, Connector: f.Connector, Redirect: f.RedirectURL,
		Credential: known(row), Missing: without(f.Scopes, row.Scopes),
	}, nil
}

// useFlow finds the flow of a state and uses it up. All reasons why it cannot look the same from outside.
func (s *Service) useFlow(ctx context.Context, c Callback) (*store.OauthFlow, error) {
	f, err := s.db.UseFlow(ctx, store.UseFlowParams{StateDigest: digest(c.State), Provider: c.Provider})
	switch {
	case err != nil && !store.IsNoRows(err):
		return nil, fmt.Errorf("use flow: %w", err)
	case err != nil || !hmac.Equal(f.BrowserDigest, digest(c.Browser.Reveal())):
		return nil, fault.New(fault.Malformed, "this sign-in has expired, was used, or began in another browser: begin again").
			WithCode(CodeStateInvalid)
	}
	return f, nil
}

// answered looks at what the authorization server says itself.
func (a *authority) answered(found *endpoints, c Callback) error {
	switch {
	case c.Issuer != a.Issuer && (c.Issuer != "" || found.issuerSent): // RFC 9207 §2.4: against mix-up
		return fault.New(fault.Forbidden, "this answer does not come from %s", a.Title).WithCode(CodeIssuerMismatch)
	case c.Error == "access_denied":
		return fault.New(fault.Forbidden, "you did not consent at %s: nothing was connected", a.Title).WithCode(CodeConsentDenied)
	case c.Error != "":
		return fault.Wrap(fmt.Errorf("error %q of the authorization endpoint", short(c.Error)), fault.Upstream,
			"%s could not ask for your consent", a.Title).WithCode(CodeProvider)
	case c.Code == "":
		return fault.New(fault.Malformed, "%s sent no code", a.Title).WithCode(CodeCodeRefused)
	}
	return nil
}

// exchange brings a code to the provider and finds out who gave it what.
func (s *Service) exchange(ctx context.Context, a *authority, found *endpoints, f *store.OauthFlow, code string) (grant, error) {
	verifier, err := s.ring.Open(verifierBinding(f.StateDigest), f.VerifierSealed)
	if err != nil {
		return grant{}, err
	}
	ctx, cancel := context.WithTimeout(context.WithValue(ctx, oauth2.HTTPClient, a.client), 2*callTime) // tokens, then keys
	defer cancel()
	t, err := s.config(a, found, nil).Exchange(ctx, code, oauth2.VerifierOption(string(verifier)))
	if err != nil {
		refused, failure := a.failure(err)
		if refused {
			failure = fault.Wrap(failure, fault.Malformed, "%s does not take its own code: begin again", a.Title).WithCode(CodeCodeRefused)
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
