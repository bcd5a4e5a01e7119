package auth

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"steward/internal/secret"
)

const (
	tokenType = "at+jwt" // RFC 9068 §2.1: keeps ID and logout tokens out
	maxToken  = 8 << 10
	leeway    = 10 * time.Second
)

// newParser turns on every check that the library has and leaves off by default: without options it
// takes tokens without exp, for other audiences, of other issuers and from the future.
func (t *Tokens) newParser() *jwt.Parser {
	return jwt.NewParser(
		jwt.WithValidMethods([]string{t.method.Alg()}), jwt.WithIssuer(t.issuer), jwt.WithAudience(t.audience),
		jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithLeeway(leeway), jwt.WithStrictDecoding(),
		jwt.WithTimeFunc(t.now),
	)
}

// Verify returns who a token speaks for. It does not know of logouts: Authenticator does. Every failure
// is the same Unauthorized fault with the reason as its cause. A token that was good a moment ago is not taken apart
// again, since nothing about it can change but its end: agents send the same one with every call.
func (t *Tokens) Verify(token string) (Principal, error) {
	sum := sha256.Sum256([]byte(token))
	if p, ok := t.good.get(string(sum[:])); ok && t.now().Before(p.Expires.Add(leeway)) {
		return p, nil
	}
	p, err := t.check(token)
	if err == nil {
		t.good.put(string(sum[:]), p)
	}
	return p, err
}

func (t *Tokens) check(token string) (Principal, error) {
	if err := checkShape(token); err != nil {
		return Principal{}, refused(err)
	}
	var c claims
	if _, err := t.parser.ParseWithClaims(token, &c, t.key); err != nil {
		return Principal{}, refused(err)
	}
	scopes := c.Role.narrow(splitScopes(c.Scope))
	return Principal{
		Owner: c.Subject, Actor: c.Subject, Role: c.Role, Scopes: scopes, Kind: JWT, TokenID: c.ID, Expires: c.ExpiresAt.Time,
	}, nil
}

func (t *Tokens) key(token *jwt.Token) (any, error) {
	kid, _ := token.Header["kid"].(string)
	if key := t.verify[kid]; key != nil {
		return key, nil
	}
	return nil, errors.New("kid is unknown")
}

// header is all that may stand in the first part of a token. Keys or addresses of keys (jwk, jku, x5u)
// and crit are refused by not being here: whoever forges a token would choose them.
type header struct {
	Alg string `json:"alg"`
	Typ string `json:"typ"`
	Kid string `json:"kid"`
}

// checkShape does what the library does not: size, typ, crit, and duplicate members, which two readers
// could understand differently.
func checkShape(token string) error {
	if len(token) > maxToken {
		return errors.New("token is too long")
	}
	if strings.ContainsAny(token, "\r\n") {
		return errors.New("token holds a line break") // which Go's base64 would skip
	}
	head, rest, ok := strings.Cut(token, ".")
	payload, _, ok2 := strings.Cut(rest, ".")
	if !ok || !ok2 {
		return errors.New("token has not three parts")
	}
	raw, err := strictObject(head)
	if err != nil {
		return fmt.Errorf("header: %w", err)
	}
	var h header
	in := json.NewDecoder(bytes.NewReader(raw))
	in.DisallowUnknownFields()
	if err := in.Decode(&h); err != nil {
		return fmt.Errorf("header: %w", err)
	}
	if h.Typ != tokenType {
		return errors.New("typ is not " + tokenType)
	}
	if _, err := strictObject(payload); err != nil {
		return fmt.Errorf("payload: %w", err)
	}
	return nil
}

// strictObject returns the canonical form of a part, which has no member twice. Go matches names of
// members without regard to case, so a name in capitals is refused too.
func strictObject(part string) ([]byte, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(part)
	if err != nil {
		return nil, err
	}
	canonical, err := secret.Canonical(raw)
	if err != nil {
		return nil, err
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(canonical, &members); err != nil {
		return nil, err
	}
	for name := range members {
		if strings.ToLower(name) != name {
			return nil, errors.New("a member's name has capitals")
		}
	}
	return canonical, nil
}
