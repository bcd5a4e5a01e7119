// Package authtest makes keys, good tokens and the golden set of forged ones for tests of whatever
// accepts our tokens.
package authtest

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/auth"
	"steward/internal/secret"
)

// Key is 32 random bytes in base64: a signing seed or a pepper.
func Key(t testing.TB) secret.String {
	t.Helper()
	raw := make([]byte, secret.KeyBytes)
	_, err := rand.Read(raw)
	require.NoError(t, err)
	return secret.New(base64.StdEncoding.EncodeToString(raw))
}

// Options are those of a fresh EdDSA issuer.
func Options(t testing.TB) auth.TokenOptions {
	t.Helper()
	return auth.TokenOptions{Issuer: "https://steward.test", Audience: "https://steward.test/mcp", SigningKey: Key(t)}
}

// Token is a good token of the issuer for a quarter of an hour.
func Token(t testing.TB, o auth.TokenOptions, subject string, role auth.Role, scopes ...auth.Scope) string {
	t.Helper()
	tokens, err := auth.NewTokens(o)
	require.NoError(t, err)
	token, err := tokens.Issue(auth.Grant{Subject: subject, Role: role, Scopes: scopes})
	require.NoError(t, err)
	return token.Reveal()
}

// draft is a token before it is signed.
type draft struct {
	header, payload map[string]any
	sign            func(input string) []byte
}

// mint makes tokens part by part, which the library would refuse to do.
type mint struct {
	t       testing.TB
	options auth.TokenOptions
	key     ed25519.PrivateKey
	public  ed25519.PublicKey
	kid     string
}

func newMint(t testing.TB, o auth.TokenOptions) mint {
	t.Helper()
	seed, err := secret.DecodeKey(o.SigningKey)
	require.NoError(t, err)
	key := ed25519.NewKeyFromSeed(seed)
	public := ed25519.PublicKey(key[ed25519.SeedSize:])
	return mint{t, o, key, public, secret.KeyID(public)}
}

func (m mint) good() draft {
	now := time.Now()
	return draft{
		header: map[string]any{"alg": "EdDSA", "typ": "at+jwt", "kid": m.kid},
		payload: map[string]any{
			"iss": m.options.Issuer, "aud": m.options.Audience, "sub": "alice", "jti": rand.Text(), "role": "user",
			"iat": now.Unix(), "exp": now.Add(5 * time.Minute).Unix(),
		},
		sign: m.eddsa,
	}
}

func (m mint) eddsa(input string) []byte { return ed25519.Sign(m.key, []byte(input)) }

// token is a good token with changes.
func (m mint) token(change func(d *draft)) string {
	d := m.good()
	change(&d)
	return m.raw(m.json(d.header), m.json(d.payload), d.sign)
}

// raw signs parts as they are.
func (m mint) raw(header, payload string, sign func(string) []byte) string {
	input := encode([]byte(header)) + "." + encode([]byte(payload))
	return input + "." + encode(sign(input))
}

func (m mint) json(value map[string]any) string {
	raw, err := json.Marshal(value)
	require.NoError(m.t, err)
	return string(raw)
}

// head and claim change one member; a nil value takes it away.
func head(name string, value any) func(*draft) {
	return func(d *draft) { put(&d.header, name, value) }
}

func claim(name string, value any) func(*draft) {
	return func(d *draft) { put(&d.payload, name, value) }
}

func put(members *map[string]any, name string, value any) {
	*members = maps.Clone(*members)
	(*members)[name] = value
	if value == nil {
		delete(*members, name)
	}
}

func encode(raw []byte) string { return base64.RawURLEncoding.EncodeToString(raw) }
