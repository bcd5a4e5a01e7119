package secret

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"github.com/fernet/fernet-go"

	"steward/internal/fault"
)

// Codes of the faults that Open and Seal return. All are of kind Internal: nobody can repair them by
// changing a request. Misplaced deserves an audit event, it means that somebody moved sealed values.
const (
	CodeUnsealable = "secret_unsealable" // Seal could not seal
	CodeMalformed  = "secret_malformed"  // not a canonical Fernet token, or not our frame
	CodeNoKey      = "secret_no_key"     // damaged, or sealed with a key that is not in the ring
	CodeMisplaced  = "secret_misplaced"  // sealed for another owner, purpose or place
)

// Binding says to whom, for what and where a sealed value belongs. It is sealed with the value and
// compared when the value is opened, because Fernet has no associated data: without it a ciphertext
// copied into another user's row would open there.
type Binding struct {
	Owner   string // whose value it is
	Purpose string // what for, such as "oauth" or "run.instructions"
	Ref     string // which one: an id that does not change while the value lives
}

// Ring holds Fernet keys: the first seals, all open. It is safe for concurrent use.
type Ring struct {
	keys []*fernet.Key
	ids  []string
}

// NewRing reads a comma-separated list of base64 keys of 256 bits each, refusing weak ones (DecodeKey)
// and duplicates.
func NewRing(list String) (*Ring, error) {
	ring := &Ring{}
	seen := map[string]bool{}
	for i, text := range strings.Split(list.Reveal(), ",") {
		raw, err := DecodeKey(New(text))
		if err != nil {
			return nil, fmt.Errorf("key %d of the ring: %w", i+1, err)
		}
		if len(raw) != KeyBytes {
			return nil, weak(fmt.Sprintf("key %d of the ring is not of 256 bits", i+1))
		}
		id := KeyID(raw)
		if seen[id] {
			return nil, weak(fmt.Sprintf("key %d of the ring is there twice", i+1))
		}
		seen[id] = true
		key := fernet.Key(raw)
		ring.keys = append(ring.keys, &key)
		ring.ids = append(ring.ids, id)
	}
	return ring, nil
}

// KeyID names the key that seals. Rows store it beside what they hold, so that a rotation can find the
// rows that still need an older key.
func (r *Ring) KeyID() string { return r.ids[0] }

// KeyIDs names all keys, the sealing one first.
func (r *Ring) KeyIDs() []string { return slices.Clone(r.ids) }

// Seal encrypts plaintext and ties it to b, all of whose fields are required. The token is URL-safe
// base64 text, about 4/3 of the plaintext (less when it compresses) plus 90 bytes and the binding.
func (r *Ring) Seal(b Binding, plaintext []byte) ([]byte, error) {
	if b.Owner == "" || b.Purpose == "" || b.Ref == "" {
		return nil, fault.New(fault.Internal, "a value cannot be sealed without owner, purpose and ref").WithCode(CodeUnsealable)
	}
	token, err := fernet.EncryptAndSign(frame(b, plaintext), r.keys[0])
	if err != nil {
		return nil, fault.Wrap(err, fault.Internal, "a value cannot be sealed").WithCode(CodeUnsealable)
	}
	return token, nil
}

// Open returns what Seal was given. Age never matters: stored values do not expire, and Fernet's ttl
// would refuse them after a clock jump.
func (r *Ring) Open(b Binding, token []byte) ([]byte, error) {
	framed, err := decrypt(token, r.keys)
	if err != nil {
		return nil, err
	}
	return unframe(b, framed)
}

// Reseal seals token anew with the first key and reports true, or returns token itself and false if
// the first key sealed it already. On error the token is of no use.
func (r *Ring) Reseal(b Binding, token []byte) ([]byte, bool, error) {
	_, err := decrypt(token, r.keys[:1])
	current := err == nil
	plaintext, err := r.Open(b, token)
	if err != nil || current {
		return token, false, err
	}
	renewed, err := r.Seal(b, plaintext)
	return renewed, err == nil, err
}

// minToken is a version byte, time, IV, one block and the MAC, before base64.
const minToken = 1 + 8 + 16 + 16 + 32

// decrypt tries keys in order. The library ignores decoding errors, so text that is not canonical is
// refused before it gets there; whatever still panics behind the MAC becomes an error.
func decrypt(token []byte, keys []*fernet.Key) (framed []byte, err error) {
	defer func() {
		if recover() != nil {
			framed, err = nil, malformed()
		}
	}()
	if !canonicalToken(token) {
		return nil, malformed()
	}
	framed = fernet.VerifyAndDecrypt(token, 0, keys)
	if framed == nil {
		return nil, fault.New(fault.Internal, "a sealed value is damaged or its key is missing").WithCode(CodeNoKey)
	}
	return framed, nil
}

// canonicalToken reports whether token is the one text that encodes its bytes: strict base64 with
// padding and no line breaks (which Go's decoder skips), of a length that Fernet can produce.
func canonicalToken(token []byte) bool {
	if bytes.ContainsAny(token, "\r\n") {
		return false
	}
	raw, err := base64.URLEncoding.Strict().AppendDecode(nil, token)
	return err == nil && len(raw) >= minToken && (len(raw)-minToken)%16 == 0
}

func malformed() error {
	return fault.New(fault.Internal, "a sealed value is malformed").WithCode(CodeMalformed)
}
