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
// Invalid for a redirect to somewhere else.
func (s *Service) Begin(ctx context.Context, b Begin) (Begun, error) {
	a, err := s.authority(b.Provider)
	if err != nil {
		return Begun{}, err
	}
	if (b.Purpose != Login || b.Owner != "") && (b.Purpose != Connect || b.Owner == "") {
		return Begun{}, errors.New("begin flow: a connect has an owner, a login has none")
	}
	if err := s.checkRedirect(b.Redirect); err != nil {
		return Begun{}, err
	}
	found, err := a.endpoints(ctx)
	if err != nil {
		return Begun{}, err
	}
	ask, scopes, err := s.ask(ctx, b)
	if err != nil {
		return Begun{}, err
	}
	f := flow{state: random(), browser: random(), nonce: random(), verifier: oauth2.GenerateVerifier()}
	expires, err := s.keep(ctx, b, scopes, f)
	if err != nil {
		return Begun{}, err
	}
	options := []oauth2.AuthCodeOption{oauth2.S256ChallengeOption(f.verifier), oauth2.SetAuthURLParam("nonce", f.nonce)}
	for name, values := range a.Authorize(ask) {
		options = append(options, oauth2.SetAuthURLParam(name, values[0]))
	}
	config := s.config(a, found, slices.Concat(a.Identity, scopes))
	return Begun{URL: config.AuthCodeURL(f.state, options...), Browser: secret.New(f.browser), Expires: expires}, nil
}

// ask finds out what to ask for. A step-up asks again for what is there: a provider may answer with what was
// asked for alone. Whose login it is, nobody knows yet: there the provider adds what was granted before.
func (s *Service) ask(ctx context.Context, b Begin) (Ask, []string, error) {
	scopes := append([]string{}, b.Scopes...) // never nil: the column takes none
	if b.Purpose == Login {
		return Ask{StepUp: len(scopes) > 0}, scopes, nil
	}
	row, err := s.find(ctx, b.Owner, b.Provider)
	if err != nil {
		return Ask{}, nil, err
	}
	if row == nil {
		return Ask{Renew: true}, scopes, nil
	}
	ask := Ask{StepUp: true, Hint: row.Account}
	ask.Renew = row.State != active || row.RefreshSealed == nil || len(without(b.Scopes, row.Scopes)) > 0
	more := without(row.Scopes, slices.Concat(scopes, s.providers[b.Provider].Identity))
	return ask, append(scopes, more...), nil
}

// flow is what only the browser, the provider and the sealed row know.
type flow struct{ state, browser, nonce, verifier string }

func (s *Service) keep(ctx context.Context, b Begin, scopes []string, f flow) (time.Time, error) {
	state := digest(f.state)
	verifier, err := s.ring.Seal(verifierBinding(state), []byte(f.verifier))
	if err != nil {
		return time.Time{}, err
	}
	expires, err := s.db.BeginFlow(ctx, store.BeginFlowParams{
		StateDigest: state, BrowserDigest: digest(f.browser), Purpose: string(b.Purpose), Owner: b.Owner, Provider: b.Provider,
		VerifierSealed: verifier, Nonce: f.nonce, Scopes: scopes, RedirectURL: b.Redirect, Connector: b.Connector, Lifetime: flowTime,
	})
	if err != nil {
		return time.Time{}, fmt.Errorf("store flow: %w", err)
	}
	return expires, nil
}

func (s *Service) config(a *authority, found *endpoints, scopes []string) *oauth2.Config {
	return &oauth2.Config{
		ClientID: a.ClientID, ClientSecret: a.ClientSecret.Reveal(), Endpoint: found.Endpoint, Scopes: scopes,
		RedirectURL: s.public + "/auth/" + a.Name + "/callback",
	}
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
