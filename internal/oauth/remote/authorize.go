package remote

import (
	"fmt"
	"slices"

	"golang.org/x/oauth2"
)

// Ask is one authorization request.
type Ask struct {
	State    string
	Verifier string // PKCE; oauth2.GenerateVerifier makes one
	Redirect string
	Resource string
	Scopes   []string
}

// AuthorizeURL is where to send the browser. Faults: ErrIncomplete if the server asks nobody.
func AuthorizeURL(m *Metadata, r Registration, ask Ask) (string, error) {
	if m.AuthorizationEndpoint == "" {
		return "", fmt.Errorf("authorization endpoint: %w", ErrIncomplete)
	}
	config := oauth2.Config{
		ClientID: r.ClientID, Endpoint: oauth2.Endpoint{AuthURL: m.AuthorizationEndpoint}, RedirectURL: ask.Redirect, Scopes: ask.Scopes,
	}
	options := []oauth2.AuthCodeOption{oauth2.S256ChallengeOption(ask.Verifier), oauth2.SetAuthURLParam("resource", ask.Resource)}
	if slices.Contains(ask.Scopes, Offline) {
		options = append(options, oauth2.SetAuthURLParam("prompt", "consent")) // or it is ignored (OpenID Connect Core §11)
	}
	return config.AuthCodeURL(ask.State, options...), nil
}

// CheckIssuer compares who answers with who was asked (RFC 9207 §2.4): against mix-up, before the code goes
// anywhere. An answer without issuer is taken from a server that promises none.
func CheckIssuer(m *Metadata, issuer string) error {
	if issuer != m.Issuer && (issuer != "" || m.AuthorizationResponseIssParameterSupported) {
		return fmt.Errorf("issuer of the answer: %w", ErrMismatch)
	}
	return nil
}
