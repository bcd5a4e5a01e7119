package remote

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/modelcontextprotocol/go-sdk/oauthex"

	"steward/internal/secret"
)

// How a client proves who it is at the token endpoint (RFC 7591 §2).
const (
	MethodNone  = "none"
	MethodBasic = "client_secret_basic"
	MethodPost  = "client_secret_post"
	MethodKey   = "private_key_jwt"
)

// Kind is how a registration came about.
type Kind string

// The kinds, in the order in which they are preferred (basic/authorization, "Client Registration Approaches").
const (
	Given      Kind = "given"      // by a person, at the authorization server
	Document   Kind = "metadata"   // by a document of ours: our client id is its URL
	Registered Kind = "registered" // by ourselves (RFC 7591)
)

// Registration is what one authorization server knows us by. It must not be used at another.
type Registration struct {
	Kind     Kind
	ClientID string
	Secret   secret.String
	Method   string        // of the token endpoint
	Key      crypto.Signer // of MethodKey: ECDSA P-256, Ed25519, or RSA
	Expires  time.Time     // of the secret; zero: never
}

// App is how we introduce ourselves.
type App struct {
	Name     string
	URL      string
	Redirect string
	Document string // where Metadata is served; only a URL with https and a path is one
}

// Metadata is the client ID metadata document, and what we register: a server that can keep tokens, with PKCE.
func (a App) Metadata() oauthex.ClientRegistrationMetadata {
	kind := "web"
	if u, err := url.Parse(a.Redirect); err == nil && u.Scheme == "http" {
		kind = "native" // on this machine: an OpenID provider takes http from no web application
	}
	return oauthex.ClientRegistrationMetadata{
		RedirectURIs: []string{a.Redirect}, TokenEndpointAuthMethod: MethodNone, ClientName: a.Name, ClientURI: a.URL,
		GrantTypes: []string{"authorization_code", "refresh_token"}, ResponseTypes: []string{"code"}, ApplicationType: kind,
	}
}

// Publishes says whether the app has a document that an authorization server can read.
func (a App) Publishes() bool {
	u, err := url.Parse(a.Document)
	return err == nil && u.Scheme == "https" && u.Host != "" && len(u.Path) > 1
}

// Register finds what the authorization server is to know us by: a registration that somebody has given, our
// document where it reads such, or one that we make now. The caller keeps it, by issuer, and does not ask again.
func (c *Client) Register(ctx context.Context, m *Metadata, app App, given *Registration) (Registration, error) {
	switch {
	case given != nil:
		r := *given
		r.Kind = Given
		if r.Method == "" {
			r.Method = methodFor(m, !r.Secret.IsZero())
		}
		return r, nil
	case m.ClientIDMetadataDocumentSupported && app.Publishes():
		return Registration{Kind: Document, ClientID: app.Document, Method: MethodNone}, nil
	case m.RegistrationEndpoint == "":
		return Registration{}, ErrNoRegistration
	}
	ask := app.Metadata()
	ask.TokenEndpointAuthMethod = methodFor(m, true)
	answer, err := oauthex.RegisterClient(ctx, m.RegistrationEndpoint, &ask, c.posting)
	if err != nil {
		return Registration{}, unregistered(err)
	}
	r := Registration{
		Kind: Registered, ClientID: answer.ClientID, Secret: secret.New(answer.ClientSecret), Method: answer.TokenEndpointAuthMethod,
		Expires: answer.ClientSecretExpiresAt,
	}
	switch {
	case r.Secret.IsZero():
		r.Method = MethodNone
	case r.Method == "":
		r.Method = ask.TokenEndpointAuthMethod
	}
	return r, nil
}

// unregistered tells a server that cannot be reached from one that does not register us. The text of the latter's
// error is not passed on: it holds the whole answer, which may be a secret in an odd form.
func unregistered(err error) error {
	if network, ok := errors.AsType[*url.Error](err); ok {
		return fmt.Errorf("register: %w", network)
	}
	code := "none"
	if refusal, ok := errors.AsType[*oauthex.ClientRegistrationError](err); ok {
		code = fmt.Sprintf("%.64q", refusal.ErrorCode)
	}
	return fmt.Errorf("register: error code %s: %w", code, ErrNoRegistration)
}

// methodFor chooses among those of a token endpoint, which takes Basic where it does not say (RFC 8414 §2). A
// secret is better than none: tokens are of no use to a thief without it.
func methodFor(m *Metadata, secret bool) string {
	known := m.TokenEndpointAuthMethodsSupported
	if !secret {
		return MethodNone
	}
	for _, method := range []string{MethodBasic, MethodPost, MethodNone} {
		if slices.Contains(known, method) {
			return method
		}
	}
	return MethodBasic
}
