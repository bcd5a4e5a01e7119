package oauth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"steward/internal/secret"
	"steward/internal/store"
)

// Purpose says what a flow is for.
type Purpose string

// The purposes, as they stand in oauth_flows.
const (
	Login   Purpose = "login"   // whoever comes back is who signs in
	Connect Purpose = "connect" // whoever comes back gives an owner access
)

// flowTime is how long a person may take at the provider.
const flowTime = 10 * time.Minute

// Begin is the start of a flow.
type Begin struct {
	Purpose   Purpose
	Owner     string // of a connect
	Provider  string
	Connector string   // what the person wants to connect, for the answer
	Scopes    []string // wanted, beside those that say who it is
	Redirect  string   // where the browser goes afterwards: a path of ours, or a URL of a registered origin
}

// Begun is where to send the browser, and the cookie with which the same browser must come back.
type Begun struct {
	URL     string
	Browser secret.String
	Expires time.Time
}

// Begin stores what the callback will be compared with and returns the provider's address for the browser.
// Faults: Unavailable with CodeNotConfigured, Upstream while the provider's configuration cannot be read,
// Invalid for a redirect to somewhere else; for a remote server also those of Calibrate and Prepare.
func (s *Service) Begin(ctx context.Context, b Begin) (Begun, error) {
	a, err := s.begins(ctx, b)
	if err != nil {
		return Begun{}, err
	}
	if (b.Purpose != Login || b.Owner != "") && (b.Purpose != Connect || b.Owner == "") {
		return Begun{}, errors.New("begin flow: a connect has an owner, a login has none")
	}
	if err := s.checkRedirect(b.Redirect); err != nil {
		return Begun{}, err
	}
	var row *store.Credential
	if b.Purpose == Connect {
		if row, err = s.find(ctx, b.Owner, b.Provider); err != nil {
			return Begun{}, err
		}
	}
	f := flow{state: random(), browser: random(), nonce: random(), verifier: oauth2.GenerateVerifier()}
	asked, err := a.ask(ctx, b, row, f)
	if err != nil {
		return Begun{}, err
	}
	expires, err := s.keep(ctx, b, asked, f)
	if err != nil {
		return Begun{}, err
	}
	return Begun{URL: asked.url, Browser: secret.New(f.browser), Expires: expires}, nil
}

// begins is whom to ask now. Who stands behind a remote server is found out anew.
func (s *Service) begins(ctx context.Context, b Begin) (authority, error) {
	id, ok := ServerOf(b.Provider)
	switch {
	case !ok:
		return s.named(b.Provider)
	case b.Purpose != Connect:
		return nil, notAsked()
	}
	return s.again(ctx, b.Owner, id)
}

// flow is what only the browser, the provider and the sealed row know.
type flow struct{ state, browser, nonce, verifier string }

func (s *Service) keep(ctx context.Context, b Begin, asked request, f flow) (time.Time, error) {
	state := digest(f.state)
	verifier, err := s.ring.Seal(verifierBinding(state), []byte(f.verifier))
	if err != nil {
		return time.Time{}, err
	}
	expires, err := s.db.BeginFlow(ctx, store.BeginFlowParams{
		StateDigest: state, BrowserDigest: digest(f.browser), Purpose: string(b.Purpose), Owner: b.Owner, Provider: b.Provider,
		Issuer: asked.issuer, Resource: asked.resource, VerifierSealed: verifier, Nonce: f.nonce, Scopes: asked.scopes, RedirectURL: b.Redirect, Connector: b.Connector, Lifetime: flowTime,
	})
	if err != nil {
		return time.Time{}, fmt.Errorf("store flow: %w", err)
	}
	return expires, nil
}

// verifierBinding ties a PKCE verifier to its flow, which has no owner yet.
func verifierBinding(state []byte) secret.Binding {
	return secret.Binding{Owner: "flow", Purpose: "oauth.verifier", Ref: hex.EncodeToString(state)}
}

// random is 256 random bits.
func random() string {
	raw := make([]byte, 32)
	_, _ = rand.Read(raw) // never fails (crypto/rand)
	return base64.RawURLEncoding.EncodeToString(raw)
}

func digest(text string) []byte {
	sum := sha256.Sum256([]byte(text))
	return sum[:]
}

// without returns those of all that are not among some.
func without(all, some []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(s string) bool { return slices.Contains(some, s) })
}

// scopesOf splits the scope parameter (RFC 6749 §3.3).
func scopesOf(text string) []string { return strings.Fields(text) }
