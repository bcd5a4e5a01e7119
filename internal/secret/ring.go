package secret

import (
	"bytes"
	"slices"
	"sync/atomic"

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

// Ring holds Fernet keys: the first seals, all open. It is safe for concurrent use; Seal and Open take no
// lock, and a Reload under way changes nothing for those that have begun.
type Ring struct{ held atomic.Pointer[keyset] }

// NewRing reads a comma-separated list of base64 keys of 256 bits each, refusing weak ones (DecodeKey)
// and duplicates.
func NewRing(list String) (*Ring, error) {
	ring := &Ring{}
	_, err := ring.Reload(list)
	return ring, err
}

// Reload takes list, as NewRing reads it, in place of the keys held, and reports whether it was another.
// On error the ring keeps what it has.
func (r *Ring) Reload(list String) (changed bool, err error) {
	next, err := newKeyset(list)
	if err != nil {
		return false, err
	}
	before := r.held.Swap(next)
	return before == nil || !slices.Equal(before.ids, next.ids), nil
}

// KeyID names the key that seals.
func (r *Ring) KeyID() string { return r.held.Load().ids[0] }

// KeyIDs names all keys, the sealing one first.
func (r *Ring) KeyIDs() []string { return slices.Clone(r.held.Load().ids) }

// Seal encrypts plaintext and ties it to b, all of whose fields are required. What it returns is text: the
// mark of the key (see Mark) and a Fernet token, about 4/3 of the plaintext (less when it compresses) plus
// 100 bytes and the binding.
func (r *Ring) Seal(b Binding, plaintext []byte) ([]byte, error) {
	if b.Owner == "" || b.Purpose == "" || b.Ref == "" {
		return nil, fault.New(fault.Internal, "a value cannot be sealed without owner, purpose and ref").WithCode(CodeUnsealable)
	}
	return r.held.Load().seal(frame(b, plaintext))
}

// Open returns what Seal was given. Age never matters: stored values do not expire, and Fernet's ttl
// would refuse them after a clock jump. A token without a mark is tried with every key.
func (r *Ring) Open(b Binding, sealed []byte) ([]byte, error) {
	framed, err := r.held.Load().open(sealed)
	if err != nil {
		return nil, err
	}
	return unframe(b, framed)
}

// Reseal seals anew with the first key what any key of the ring opens, and reports true; what the first key
// has sealed and marked it returns as it is. It needs no binding, since the binding stays sealed with the
// value: a value that lies where it does not belong is not at home there afterwards either.
func (r *Ring) Reseal(sealed []byte) (renewed []byte, changed bool, err error) {
	held := r.held.Load()
	framed, err := held.open(sealed)
	if err != nil {
		return nil, false, err
	}
	defer clear(framed)
	if bytes.HasPrefix(sealed, Mark(held.ids[0])) {
		return sealed, false, nil
	}
	renewed, err = held.seal(framed)
	return renewed, err == nil, err
}
