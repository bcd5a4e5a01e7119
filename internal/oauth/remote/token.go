package remote

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"strings"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// grantJWT is the grant type of RFC 7523 §2.1.
const grantJWT = "urn:ietf:params:oauth:grant-type:jwt-bearer"

// Exchange brings a code to the token endpoint. Errors of this and the other grants are *oauth2.RetrieveError when
// the server has answered; its body is not for people, it may repeat our secrets.
func (c *Client) Exchange(ctx context.Context, m *Metadata, r Registration, code string, ask Ask) (*oauth2.Token, error) {
	return c.token(ctx, m, r, nil, url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {ask.Redirect}, "code_verifier": {ask.Verifier},
		"resource": {ask.Resource},
	})
}

// Refresh asks for new tokens with the same scopes. An answer without a refresh token leaves the old one good;
// with one, the old one is used up.
func (c *Client) Refresh(ctx context.Context, m *Metadata, r Registration, token, resource string) (*oauth2.Token, error) {
	return c.token(ctx, m, r, nil, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}, "resource": {resource}})
}

// ClientCredentials asks for tokens of our own (SEP-1046): nobody consents.
func (c *Client) ClientCredentials(ctx context.Context, m *Metadata, r Registration, resource string, scopes []string) (*oauth2.Token, error) {
	return c.token(ctx, m, r, scopes, url.Values{"grant_type": {"client_credentials"}, "resource": {resource}})
}

// JWTBearer exchanges what another issuer says of us, such as the identity of a workload (RFC 7523 §2.1,
// SEP-1933). A refusal is final: it is not tried again in another way.
func (c *Client) JWTBearer(ctx context.Context, m *Metadata, r Registration, assertion, resource string, scopes []string) (*oauth2.Token, error) {
	return c.token(ctx, m, r, scopes, url.Values{"grant_type": {grantJWT}, "assertion": {assertion}, "resource": {resource}})
}

// token makes one token request. The library of the client credentials grant takes every other one too.
func (c *Client) token(ctx context.Context, m *Metadata, r Registration, scopes []string, form url.Values) (*oauth2.Token, error) {
	proof, err := r.proof(m)
	if err != nil {
		return nil, err
	}
	maps.Copy(form, proof.form)
	config := clientcredentials.Config{
		ClientID: r.ClientID, ClientSecret: proof.secret.Reveal(), TokenURL: m.TokenEndpoint, AuthStyle: proof.style,
		Scopes: scopes, EndpointParams: form,
	}
	t, err := config.Token(context.WithValue(ctx, oauth2.HTTPClient, c.posting))
	if err != nil {
		return nil, fmt.Errorf("ask for a token: %w", err)
	}
	if t.TokenType != "" && !strings.EqualFold(t.TokenType, "bearer") {
		return nil, fmt.Errorf("ask for a token: of a type that is not Bearer: %w", ErrIncomplete)
	}
	return t, nil
}
