package auth

import (
	"crypto/ed25519"
	"encoding/base64"
)

type publicKey struct {
	kid string
	key ed25519.PublicKey
}

// JWK is an Ed25519 public key (RFC 8037 §2).
type JWK struct {
	Kty string `json:"kty"`
	Crv string `json:"crv"`
	Kid string `json:"kid"`
	Alg string `json:"alg"`
	Use string `json:"use"`
	X   string `json:"x"`
}

// JWKS is the document at /.well-known/jwks.json.
type JWKS struct {
	Keys []JWK `json:"keys"`
}

// JWKS lists the public keys that verify our tokens, the signing one first; with HS256 there is none.
func (t *Tokens) JWKS() JWKS {
	set := JWKS{Keys: []JWK{}}
	for _, p := range t.public {
		set.Keys = append(set.Keys, JWK{
			Kty: "OKP", Crv: "Ed25519", Kid: p.kid, Alg: "EdDSA", Use: "sig", X: base64.RawURLEncoding.EncodeToString(p.key),
		})
	}
	return set
}
