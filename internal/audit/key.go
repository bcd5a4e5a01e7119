package audit

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"steward/internal/secret"
)

// GenerateKey makes an Ed25519 key pair in the text form of signed notes. The private one belongs into
// STEWARD_AUDIT_KEY, the public one to whoever verifies. The name tells installations apart; it has no
// spaces and no plus sign.
func GenerateKey(name string) (private secret.String, public string, err error) {
	if name == "" || strings.ContainsAny(name, " \t\r\n+") {
		return secret.String{}, "", errors.New("the name of an audit key has no spaces and no plus sign")
	}
	skey, vkey, err := note.GenerateKey(rand.Reader, name)
	if err != nil {
		return secret.String{}, "", errors.New("generate audit key: no randomness")
	}
	return secret.New(skey), vkey, nil
}

// errKey never repeats the text, which holds the key.
var errKey = errors.New("the audit key is not a private key of a signed note (PRIVATE+KEY+name+hash+data)")

// PublicKey is the public half of a private key.
func PublicKey(private secret.String) (string, error) {
	signer, err := note.NewSigner(private.Reveal())
	if err != nil {
		return "", errKey
	}
	parts := strings.SplitN(private.Reveal(), "+", 5) // the fifth is base64 and may hold plus signs
	if len(parts) != 5 {
		return "", errKey
	}
	data, err := base64.StdEncoding.DecodeString(parts[4])
	if err != nil || len(data) != 1+ed25519.SeedSize { // one byte names the algorithm
		return "", errKey
	}
	public, ok := ed25519.NewKeyFromSeed(data[1:]).Public().(ed25519.PublicKey)
	if !ok {
		return "", errKey
	}
	return note.NewEd25519VerifierKey(signer.Name(), public)
}
