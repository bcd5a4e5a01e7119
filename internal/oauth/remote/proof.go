package remote

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"golang.org/x/oauth2"

	"steward/internal/secret"
)

// assertionTime is how long an assertion about ourselves is good.
const assertionTime = time.Minute

// proof is what of a registration goes with a request to show that it is ours.
type proof struct {
	style  oauth2.AuthStyle
	secret secret.String
	form   url.Values
}

func (r Registration) proof(m *Metadata) (proof, error) {
	switch r.Method {
	case MethodNone, "":
		return proof{style: oauth2.AuthStyleInParams}, nil
	case MethodPost:
		return proof{style: oauth2.AuthStyleInParams, secret: r.Secret}, nil
	case MethodBasic:
		return proof{style: oauth2.AuthStyleInHeader, secret: r.Secret}, nil
	case MethodKey:
		text, err := r.assertion(m.Issuer)
		return proof{style: oauth2.AuthStyleInParams, form: url.Values{
			"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}, "client_assertion": {text},
		}}, err
	}
	return proof{}, fmt.Errorf("client authentication %q: %w", r.Method, ErrNoRegistration)
}

// assertion says who we are to one issuer (RFC 7523 §2.2, §3), once.
func (r Registration) assertion(issuer string) (string, error) {
	method, err := signing(r.Key)
	if err != nil {
		return "", err
	}
	now := time.Now()
	text, err := jwt.NewWithClaims(method, jwt.RegisteredClaims{
		Issuer: r.ClientID, Subject: r.ClientID, Audience: jwt.ClaimStrings{issuer}, ID: rand.Text(),
		IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(assertionTime)),
	}).SignedString(r.Key)
	if err != nil {
		return "", fmt.Errorf("sign client assertion: %w", err)
	}
	return text, nil
}

func signing(key crypto.Signer) (jwt.SigningMethod, error) {
	switch k := key.(type) {
	case *ecdsa.PrivateKey:
		if k.Params().BitSize == 256 {
			return jwt.SigningMethodES256, nil
		}
	case ed25519.PrivateKey:
		return jwt.SigningMethodEdDSA, nil
	case *rsa.PrivateKey:
		return jwt.SigningMethodRS256, nil
	}
	return nil, fmt.Errorf("key of a client of type %T: %w", key, ErrNoRegistration)
}

// Revoke asks the server to end a token (RFC 7009). One that it does not know is ended already.
func (c *Client) Revoke(ctx context.Context, m *Metadata, r Registration, token secret.String, hint string) error {
	if m.RevocationEndpoint == "" {
		return fmt.Errorf("revocation endpoint: %w", ErrIncomplete)
	}
	p, err := r.proof(m)
	if err != nil {
		return err
	}
	form := url.Values{"token": {token.Reveal()}, "token_type_hint": {hint}}
	maps.Copy(form, p.form)
	if p.style == oauth2.AuthStyleInParams {
		form.Set("client_id", r.ClientID)
		if !p.secret.IsZero() {
			form.Set("client_secret", p.secret.Reveal())
		}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, m.RevocationEndpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return fmt.Errorf("revoke: %w", err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if p.style == oauth2.AuthStyleInHeader {
		req.SetBasicAuth(url.QueryEscape(r.ClientID), url.QueryEscape(p.secret.Reveal()))
	}
	res, err := c.posting.Do(req)
	if err != nil {
		return fmt.Errorf("revoke: %w", err)
	}
	if err := res.Body.Close(); err != nil {
		return fmt.Errorf("revoke: %w", err)
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("revoke: status %d", res.StatusCode)
	}
	return nil
}
