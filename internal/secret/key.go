package secret

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"

	"steward/internal/fault"
)

// KeyBytes is the least a key may have: 256 bits.
const KeyBytes = 32

// CodeWeakKey marks a key that is missing, malformed, short or guessable.
const CodeWeakKey = "weak_key"

// specKey is the example key of the Fernet specification: long enough, and known to everybody.
const specKey = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4="

// DecodeKey reads a key in standard or URL-safe base64, padded or not. It refuses (kind Invalid, code
// CodeWeakKey, never naming the value) what is not base64, shorter than KeyBytes, or visibly not random:
// all zero, a repeated pattern, or published as an example.
func DecodeKey(encoded String) ([]byte, error) {
	text := strings.TrimRight(strings.TrimSpace(encoded.Reveal()), "=")
	text = strings.NewReplacer("+", "-", "/", "_").Replace(text)
	key, err := base64.RawURLEncoding.DecodeString(text)
	switch {
	case text == "":
		return nil, weak("the key is empty")
	case err != nil:
		return nil, weak("the key is not base64")
	case text == strings.TrimRight(specKey, "="):
		return nil, weak("the key is an example that everybody knows")
	}
	return key, CheckKey(key)
}

// CheckKey refuses, like DecodeKey, raw bytes that are too short or visibly not random.
func CheckKey(key []byte) error {
	switch {
	case len(key) < KeyBytes:
		return weak("the key is shorter than 256 bits")
	case guessable(key):
		return weak("the key is not random")
	}
	return nil
}

// KeyID names a key without telling anything of use about it: the first 8 hex digits of its SHA-256.
func KeyID(key []byte) string {
	sum := sha256.Sum256(key)
	return hex.EncodeToString(sum[:4])
}

// guessable finds keys that people type or that a failed generator leaves. 32 random bytes hold fewer
// than 16 different values with a chance below 1e-13.
func guessable(key []byte) bool {
	seen := map[byte]struct{}{}
	for _, b := range key {
		seen[b] = struct{}{}
	}
	return len(seen) < KeyBytes/2
}

func weak(msg string) error { return fault.New(fault.Invalid, "%s", msg).WithCode(CodeWeakKey) }
