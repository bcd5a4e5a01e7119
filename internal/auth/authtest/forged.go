package authtest

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/auth"
)

// Forgery is a token that must be refused, and what is wrong with it.
type Forgery struct{ Name, Token string }

// Forged returns the golden set (T-20) for an EdDSA issuer: every one is the good token of this package
// with one thing wrong, most of them signed with the issuer's own key.
func Forged(t testing.TB, o auth.TokenOptions) []Forgery {
	t.Helper()
	m := newMint(t, o)
	var all []Forgery
	for _, group := range []map[string]string{m.algorithms(), m.keys(), m.headers(), m.claims(), m.encodings()} {
		for name, token := range group {
			all = append(all, Forgery{name, token})
		}
	}
	return all
}

// Unspoiled is the token from which the forgeries are made. It must be accepted, or they prove nothing.
func Unspoiled(t testing.TB, o auth.TokenOptions) string {
	t.Helper()
	return newMint(t, o).token(func(*draft) {})
}

func (m mint) algorithms() map[string]string {
	alg := func(name string, sign func(string) []byte) string {
		return m.token(func(d *draft) { d.header["alg"], d.sign = name, sign })
	}
	nothing := func(string) []byte { return nil }
	mac := func(key []byte) func(string) []byte {
		return func(input string) []byte {
			h := hmac.New(sha256.New, key)
			h.Write([]byte(input))
			return h.Sum(nil)
		}
	}
	return map[string]string{
		"alg none":                         alg("none", nothing),
		"alg None":                         alg("None", nothing),
		"alg empty":                        alg("", m.eddsa),
		"alg none but signed":              alg("none", m.eddsa),
		"alg in lower case":                alg("eddsa", m.eddsa),
		"HS256 keyed with the public key":  alg("HS256", mac(m.public)),
		"HS256 keyed with its base64":      alg("HS256", mac([]byte(base64.StdEncoding.EncodeToString(m.public)))),
		"HS256 keyed with nothing":         alg("HS256", mac(nil)),
		"ES256 in name":                    alg("ES256", m.eddsa),
		"RS256 in name":                    alg("RS256", m.eddsa),
		"alg is missing":                   m.token(head("alg", nil)),
		"alg is a list":                    m.token(head("alg", []string{"EdDSA"})),
		"signature is missing":             m.token(func(d *draft) { d.sign = nothing }),
		"signature of zeros":               m.token(func(d *draft) { d.sign = func(string) []byte { return make([]byte, 64) } }),
		"signature of something else":      m.token(func(d *draft) { d.sign = func(string) []byte { return m.eddsa("else") } }),
		"signature followed by a byte":     m.token(func(d *draft) { d.sign = func(s string) []byte { return append(m.eddsa(s), 0) } }),
		"signature with one bit turned":    m.token(func(d *draft) { d.sign = func(s string) []byte { x := m.eddsa(s); x[9] ^= 1; return x } }),
		"signature of the payload as text": m.token(func(d *draft) { d.sign = func(s string) []byte { _, p, _ := strings.Cut(s, "."); return m.eddsa(p) } }),
		"payload changed after signing":    m.swapPayload("alice", "admin"),
		"role raised after signing":        m.swapPayload(`"role":"user"`, `"role":"admin"`),
	}
}

// swapPayload edits a signed token without signing again.
func (m mint) swapPayload(from, to string) string {
	parts := strings.Split(m.token(func(*draft) {}), ".")
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	require.NoError(m.t, err)
	changed := strings.ReplaceAll(string(raw), from, to)
	require.NotEqual(m.t, string(raw), changed, "the forgery changes something")
	parts[1] = encode([]byte(changed))
	return strings.Join(parts, ".")
}

func (m mint) keys() map[string]string {
	_, stranger, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(m.t, err)
	foreign := func(input string) []byte { return ed25519.Sign(stranger, []byte(input)) }
	jwk := map[string]any{"kty": "OKP", "crv": "Ed25519", "x": encode(stranger[ed25519.SeedSize:])}
	return map[string]string{
		"another key under our kid":  m.token(func(d *draft) { d.sign = foreign }),
		"another key, sent along":    m.token(func(d *draft) { d.header["jwk"], d.sign = jwk, foreign }),
		"our key, sent along":        m.token(head("jwk", map[string]any{"kty": "OKP", "crv": "Ed25519", "x": encode(m.public)})),
		"address of a key set":       m.token(head("jku", "https://evil.test/jwks.json")),
		"address of a certificate":   m.token(head("x5u", "https://evil.test/cert")),
		"certificate chain":          m.token(head("x5c", []string{"AAAA"})),
		"unknown kid":                m.token(head("kid", "00000000")),
		"no kid":                     m.token(head("kid", nil)),
		"empty kid":                  m.token(head("kid", "")),
		"kid is a path":              m.token(head("kid", "../../../dev/null")),
		"kid is SQL":                 m.token(head("kid", "' OR 1=1 --")),
		"kid is a number":            m.token(head("kid", 7)),
		"kid is ours in upper case+": m.token(head("kid", m.kid+" ")),
	}
}

func (m mint) headers() map[string]string {
	return map[string]string{
		"crit":                  m.token(func(d *draft) { d.header["crit"], d.header["exp"] = []string{"exp"}, 1 }),
		"empty crit":            m.token(head("crit", []string{})),
		"typ JWT":               m.token(head("typ", "JWT")),
		"typ missing":           m.token(head("typ", nil)),
		"typ of a logout token": m.token(head("typ", "logout+jwt")),
		"typ in capitals":       m.token(head("typ", "AT+JWT")),
		"nested token":          m.token(head("cty", "JWT")),
		"compressed":            m.token(head("zip", "DEF")),
		"unencoded payload":     m.token(head("b64", false)),
	}
}

func (m mint) claims() map[string]string {
	now := time.Now()
	at := func(d time.Duration) int64 { return now.Add(d).Unix() }
	return map[string]string{
		"exp missing":             m.token(claim("exp", nil)),
		"exp past":                m.token(claim("exp", at(-time.Minute))),
		"exp text":                m.token(claim("exp", "4102444800")),
		"exp negative":            m.token(claim("exp", -1)),
		"lives too long":          m.token(claim("exp", at(auth.MaxTTL+time.Hour))),
		"lives for ever":          m.token(claim("exp", 1e300)),
		"iat missing":             m.token(claim("iat", nil)),
		"iat in the future":       m.token(claim("iat", at(time.Minute))),
		"nbf in the future":       m.token(claim("nbf", at(time.Minute))),
		"aud missing":             m.token(claim("aud", nil)),
		"aud of another service":  m.token(claim("aud", "https://other.test")),
		"aud with more behind":    m.token(claim("aud", m.options.Audience+".evil.test")),
		"aud empty":               m.token(claim("aud", []string{})),
		"aud a number":            m.token(claim("aud", 7)),
		"iss missing":             m.token(claim("iss", nil)),
		"iss of another":          m.token(claim("iss", "https://evil.test")),
		"iss with a slash":        m.token(claim("iss", m.options.Issuer+"/")),
		"sub missing":             m.token(claim("sub", nil)),
		"sub empty":               m.token(claim("sub", "")),
		"sub for everybody":       m.token(claim("sub", "*")),
		"sub with a line break":   m.token(claim("sub", "alice\nadmin")),
		"sub turning the text":    m.token(claim("sub", "alice\u202e")),
		"sub too long":            m.token(claim("sub", strings.Repeat("a", 256))),
		"sub a list":              m.token(claim("sub", []string{"alice", "bob"})),
		"jti missing":             m.token(claim("jti", nil)),
		"role missing":            m.token(claim("role", nil)),
		"role unknown":            m.token(claim("role", "root")),
		"role of API keys":        m.token(claim("role", "service")),
		"second sub in capitals":  m.token(claim("SUB", "bob")),
		"second role in capitals": m.token(claim("Role", "admin")),
	}
}

func (m mint) encodings() map[string]string {
	good := m.good()
	header, payload := m.json(good.header), m.json(good.payload)
	token := m.raw(header, payload, m.eddsa)
	parts := strings.Split(token, ".")
	return map[string]string{
		"sub twice":           m.raw(header, strings.Replace(payload, "{", `{"sub":"bob",`, 1), m.eddsa),
		"sub twice, escaped":  m.raw(header, strings.Replace(payload, "{", `{"\u0073ub":"bob",`, 1), m.eddsa),
		"alg twice":           m.raw(strings.Replace(header, "{", `{"alg":"none",`, 1), payload, m.eddsa),
		"header is a list":    m.raw("["+header+"]", payload, m.eddsa),
		"header is null":      m.raw("null", payload, m.eddsa),
		"payload is a list":   m.raw(header, "["+payload+"]", m.eddsa),
		"payload is null":     m.raw(header, "null", m.eddsa),
		"two payloads":        m.raw(header, payload+payload, m.eddsa),
		"payload not UTF-8":   m.raw(header, strings.Replace(payload, "alice", "al\xffice", 1), m.eddsa),
		"header in capitals":  m.raw(strings.Replace(header, `"typ"`, `"TYP"`, 1), payload, m.eddsa),
		"too long":            m.token(claim("pad", strings.Repeat("x", 8<<10))),
		"four parts":          token + ".x",
		"two parts":           parts[0] + "." + parts[1],
		"encrypted, in form":  strings.Join([]string{parts[0], "", "", parts[1], parts[2]}, "."),
		"padded":              token + "==",
		"line break within":   parts[0] + "." + parts[1] + ".\n" + parts[2],
		"space before":        " " + token,
		"standard alphabet":   strings.NewReplacer("-", "+", "_", "/").Replace(token) + "+",
		"loose trailing bits": loosen(token),
		"empty":               "",
		"dots":                "..",
		"an API key":          "mk_aaaaaaaaaaaa_" + strings.Repeat("A", 43) + "00000000",
	}
}

// loosen changes bits at the end of the signature that base64 does not use: 64 bytes leave four of them.
func loosen(token string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, token[len(token)-1])
	return token[:len(token)-1] + string(alphabet[last|1])
}
