package oauth

import (
	"context"
	"crypto/hmac"
	"fmt"

	"steward/internal/fault"
	"steward/internal/secret"
	"steward/internal/store"
)

// Callback is what the browser brings back from the provider (RFC 6749 §4.1.2, RFC 9207), and its cookie.
type Callback struct {
	Provider                   string // whose callback it is; "mcp" for all remote servers
	Place                      string // what follows in the path of a callback of remote servers, if anything
	State, Code, Issuer, Error string
	Browser                    secret.String
}

// Finished is a flow that has ended.
type Finished struct {
	Purpose    Purpose
	Owner      string // of a login: the provider's name, a hyphen, and its id of the account
	Connector  string
	Redirect   string
	Credential Credential
	Missing    []string // asked for and not granted
}

// Finish ends a flow: the state is used up whatever happens, and nothing is sent to the provider before it,
// the browser and the issuer are right. Faults have the codes of this package, first of all CodeNotConfigured for a
// provider with which nobody can have begun; what the provider or the browser said is never repeated in them. Beside an
// error there is what the flow was for, and no credential, once it is certain that the browser is the one that began.
func (s *Service) Finish(ctx context.Context, c Callback) (Finished, error) {
	if c.Provider != servers {
		if _, err := s.named(c.Provider); err != nil {
			return Finished{}, err
		}
	}
	f, err := s.useFlow(ctx, c)
	if err != nil {
		return Finished{}, err
	}
	done := Finished{Purpose: Purpose(f.Purpose), Owner: f.Owner, Connector: f.Connector, Redirect: f.RedirectURL}
	row, err := s.answer(ctx, c, f)
	if err != nil {
		return done, err
	}
	done.Owner, done.Credential, done.Missing = row.Owner, known(row), without(f.Scopes, row.Scopes)
	s.tell(ctx, row.Owner)
	return done, nil
}

// answer turns what came back to a flow into a credential.
func (s *Service) answer(ctx context.Context, c Callback, f *store.OauthFlow) (*store.Credential, error) {
	a, err := s.authority(ctx, f.Owner, f.Provider)
	if err != nil {
		return nil, err
	}
	if err := a.answered(ctx, f, c); err != nil {
		return nil, err
	}
	if err := denied(a, c); err != nil {
		return nil, err
	}
	g, err := s.exchange(ctx, a, f, c.Code)
	if err != nil {
		return nil, err
	}
	owner := f.Owner
	if Purpose(f.Purpose) == Login {
		owner = a.name() + "-" + g.who.Subject
		if err := s.admit(ctx, f, owner, g.who); err != nil {
			return nil, err
		}
	}
	return s.put(ctx, f, owner, g)
}

// useFlow finds the flow of a state and uses it up. All reasons why it cannot look the same from outside.
func (s *Service) useFlow(ctx context.Context, c Callback) (*store.OauthFlow, error) {
	f, err := s.db.UseFlow(ctx, store.UseFlowParams{StateDigest: digest(c.State), Family: c.Provider})
	switch {
	case err != nil && !store.IsNoRows(err):
		return nil, fmt.Errorf("use flow: %w", err)
	case err != nil || !hmac.Equal(f.BrowserDigest, digest(c.Browser.Reveal())):
		return nil, fault.New(fault.Malformed, "this sign-in has expired, was used, or began in another browser: begin again").
			WithCode(CodeStateInvalid)
	}
	return f, nil
}

// denied looks at why there is no code.
func denied(a authority, c Callback) error {
	switch {
	case c.Error == "access_denied":
		return fault.New(fault.Forbidden, "you did not consent at %s: nothing was connected", a.title()).WithCode(CodeConsentDenied)
	case c.Error != "":
		return fault.Wrap(fmt.Errorf("error %q of the authorization endpoint", short(c.Error)), fault.Upstream,
			"%s could not ask for your consent", a.title()).WithCode(CodeProvider)
	case c.Code == "":
		return fault.New(fault.Malformed, "%s sent no code", a.title()).WithCode(CodeCodeRefused)
	}
	return nil
}

// exchange brings a code to the authority, which also says who gave it what.
func (s *Service) exchange(ctx context.Context, a authority, f *store.OauthFlow, code string) (grant, error) {
	verifier, err := s.ring.Open(verifierBinding(f.StateDigest), f.VerifierSealed)
	if err != nil {
		return grant{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, 2*callTime) // tokens, then keys
	defer cancel()
	return a.exchange(ctx, f, code, string(verifier))
}
