package auth

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"hash/crc32"
	"strings"

	"steward/internal/secret"
)

// An API key reads mk_<id>_<secret><checksum>: 12 characters of base32 that look it up, 32 random bytes
// in base64url, and a CRC-32 in hex by which scanners and we tell a key from a typing error.
const (
	keyPrefix   = "mk_"
	idLength    = 12
	secretBytes = 32
	secretText  = 43
	sumLength   = 8
	keyLength   = len(keyPrefix) + idLength + 1 + secretText + sumLength

	idAlphabet = "abcdefghijklmnopqrstuvwxyz234567"
)

var errKeyText = errors.New("not the text of an API key")

func newKeyText() (id string, key secret.String, err error) {
	raw := make([]byte, secretBytes)
	if _, err := rand.Read(raw); err != nil {
		return "", secret.String{}, fmt.Errorf("read random bytes: %w", err)
	}
	id = strings.ToLower(rand.Text()[:idLength])
	body := keyPrefix + id + "_" + base64.RawURLEncoding.EncodeToString(raw)
	return id, secret.New(body + checksum(body)), nil
}

// parseKeyText returns the id of a well-formed key. Whether the key is good is for its digest to say.
func parseKeyText(text string) (id string, err error) {
	if len(text) != keyLength || !strings.HasPrefix(text, keyPrefix) {
		return "", errKeyText
	}
	body, sum := text[:keyLength-sumLength], text[keyLength-sumLength:]
	id, random := body[len(keyPrefix):len(keyPrefix)+idLength], body[len(keyPrefix)+idLength+1:]
	if strings.Trim(id, idAlphabet) != "" || body[len(keyPrefix)+idLength] != '_' || sum != checksum(body) {
		return "", errKeyText
	}
	if raw, err := base64.RawURLEncoding.Strict().DecodeString(random); err != nil || len(raw) != secretBytes {
		return "", errKeyText
	}
	return id, nil
}

func checksum(body string) string { return fmt.Sprintf("%08x", crc32.ChecksumIEEE([]byte(body))) }
