package vault

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"steward/internal/secret"
)

// A fingerprint is keyed, because short values could be guessed from a plain digest. The key is random, kept sealed
// with the set: keys of the ring come and go, and the fingerprint of a value must not change with them.
const (
	saltBytes        = 32
	fingerprintBytes = 5
)

func saltBinding(c Change) secret.Binding {
	return secret.Binding{Owner: c.Owner, Purpose: "user.secret.salt", Ref: fmt.Sprint(c.Server)}
}

// newSalt is for the case that the set is new.
func (v *Vault) newSalt(c Change) ([]byte, error) {
	salt := make([]byte, saltBytes)
	_, _ = rand.Read(salt) // never fails
	return v.ring.Seal(saltBinding(c), salt)
}

func (v *Vault) fingerprint(c Change, saltSealed []byte, value secret.String) (string, error) {
	salt, err := v.ring.Open(saltBinding(c), saltSealed)
	if err != nil {
		return "", err
	}
	digest := hmac.New(sha256.New, salt)
	digest.Write([]byte(c.Name + "\x00" + value.Reveal()))
	return hex.EncodeToString(digest.Sum(nil)[:fingerprintBytes]), nil
}
