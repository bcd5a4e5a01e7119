package auth

import (
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"steward/internal/fault"
	"steward/internal/secret"
)

// Lifetimes of our tokens.
const (
	DefaultTTL = 15 * time.Minute
	MaxTTL     = 12 * time.Hour // a console session's absolute life
)

// TokenOptions configure one issuer with one algorithm (RFC 8725 §3.1: never mixed).
type TokenOptions struct {
	Issuer   string
	Audience string
	// SigningKey is an Ed25519 seed in base64; with it tokens are EdDSA.
	SigningKey secret.String
	// VerifyKeys are further Ed25519 public keys in base64: the previous or the next signing key.
	VerifyKeys []string
	// SharedKey of at least 32 bytes makes tokens HS256 instead; only one of the two keys may be set.
	SharedKey secret.String
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Tokens issues and verifies our access tokens. It is safe for concurrent use.
type Tokens struct {
	issuer, audience string
	method           jwt.SigningMethod
	kid              string
	sign             any
	verify           map[string]any // by kid: the only way to a key
	public           []publicKey
	now              func() time.Time
	parser           *jwt.Parser
	good             *cache[Principal] // by the token's SHA-256
}

// NewTokens checks the options; weak or missing keys are refused with a fault of kind Invalid.
func NewTokens(o TokenOptions) (*Tokens, error) {
	if o.Issuer == "" || o.Audience == "" {
		return nil, fault.New(fault.Invalid, "tokens need an issuer and an audience")
	}
	if o.SigningKey.IsZero() == o.SharedKey.IsZero() {
		return nil, fault.New(fault.Invalid, "tokens need either a signing key or a shared key")
	}
	t := &Tokens{issuer: o.Issuer, audience: o.Audience, verify: map[string]any{}, now: o.Now}
	if t.now == nil {
		t.now = time.Now
	}
	var err error
	if o.SharedKey.IsZero() {
		err = t.useEd25519(o.SigningKey, o.VerifyKeys)
	} else {
		err = t.useHMAC(o.SharedKey)
	}
	if err != nil {
		return nil, err
	}
	t.parser, t.good = t.newParser(), newCache[Principal](t.now)
	return t, nil
}

func (t *Tokens) useEd25519(seed secret.String, further []string) error {
	raw, err := secret.DecodeKey(seed)
	if err != nil || len(raw) != ed25519.SeedSize {
		return fault.Wrap(err, fault.Invalid, "the signing key is not an Ed25519 seed").WithCode(secret.CodeWeakKey)
	}
	private := ed25519.NewKeyFromSeed(raw)
	public := ed25519.PublicKey(private[ed25519.SeedSize:])
	t.method, t.sign, t.kid = jwt.SigningMethodEdDSA, private, secret.KeyID(public)
	t.addPublic(public)
	for _, text := range further {
		raw, err := secret.DecodeKey(secret.New(text))
		if err != nil || len(raw) != ed25519.PublicKeySize {
			return fault.Wrap(err, fault.Invalid, "a verification key is not an Ed25519 public key").WithCode(secret.CodeWeakKey)
		}
		t.addPublic(raw)
	}
	return nil
}

func (t *Tokens) addPublic(key ed25519.PublicKey) {
	kid := secret.KeyID(key)
	if t.verify[kid] == nil {
		t.verify[kid] = key
		t.public = append(t.public, publicKey{kid, key})
	}
}

func (t *Tokens) useHMAC(key secret.String) error {
	raw := []byte(key.Reveal())
	if err := secret.CheckKey(raw); err != nil {
		return err
	}
	t.method, t.sign, t.kid = jwt.SigningMethodHS256, raw, secret.KeyID(raw)
	t.verify[t.kid] = raw
	return nil
}

// Grant is what a new token says.
type Grant struct {
	Subject string
	Role    Role
	Scopes  []Scope       // empty: all of the role
	TTL     time.Duration // 0: DefaultTTL; at most MaxTTL
}

// Issue signs a token for g.
func (t *Tokens) Issue(g Grant) (secret.String, error) {
	if g.TTL == 0 {
		g.TTL = DefaultTTL
	}
	switch {
	case !validOwner(g.Subject):
		return secret.String{}, fault.InvalidField("user", "must be 1 to %d printable characters", maxOwner)
	case !g.Role.Known() || g.Role == Service:
		return secret.String{}, fault.InvalidField("role", "must be user, operator, admin or auditor")
	case g.TTL < 0 || g.TTL > MaxTTL:
		return secret.String{}, fault.InvalidField("ttl", "must be at most %s", MaxTTL)
	}
	now := t.now()
	token := jwt.NewWithClaims(t.method, claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: t.issuer, Subject: g.Subject, Audience: jwt.ClaimStrings{t.audience}, ID: rand.Text(),
			IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(g.TTL)),
		},
		Role: g.Role, Scope: joinScopes(g.Scopes),
	})
	token.Header["typ"] = tokenType
	token.Header["kid"] = t.kid
	text, err := token.SignedString(t.sign)
	if err != nil {
		return secret.String{}, fault.Wrap(err, fault.Internal, "the token cannot be signed")
	}
	return secret.New(text), nil
}

// claims are RFC 9068's, with a role of ours.
type claims struct {
	jwt.RegisteredClaims
	Role  Role   `json:"role"`
	Scope string `json:"scope,omitempty"` // space-separated (RFC 8693 §4.2)
}

// Validate is called by the parser after its own checks.
func (c claims) Validate() error {
	switch {
	case !validOwner(c.Subject):
		return errors.New("sub is missing or unusable")
	case c.ID == "":
		return errors.New("jti is missing")
	case c.IssuedAt == nil || c.ExpiresAt == nil:
		return errors.New("iat or exp is missing")
	case !c.Role.Known() || c.Role == Service:
		return errors.New("role is unknown")
	case c.ExpiresAt.Sub(c.IssuedAt.Time) > MaxTTL:
		return errors.New("exp is too far from iat")
	}
	return nil
}

func joinScopes(scopes []Scope) string {
	words := make([]string, len(scopes))
	for i, s := range scopes {
		words[i] = string(s)
	}
	return strings.Join(words, " ")
}

func splitScopes(text string) []Scope {
	words := strings.Fields(text)
	scopes := make([]Scope, len(words))
	for i, w := range words {
		scopes[i] = Scope(w)
	}
	return scopes
}
