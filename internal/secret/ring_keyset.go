package secret

import (
	"fmt"
	"slices"
	"strings"

	"github.com/fernet/fernet-go"

	"steward/internal/fault"
)

// keyset is the keys of a ring at one moment; it never changes.
type keyset struct {
	keys []*fernet.Key
	ids  []string
}

func newKeyset(list String) (*keyset, error) {
	set := &keyset{}
	for i, text := range strings.Split(list.Reveal(), ",") {
		raw, err := DecodeKey(New(text))
		if err != nil {
			return nil, fmt.Errorf("key %d of the ring: %w", i+1, err)
		}
		if len(raw) != KeyBytes {
			return nil, weak(fmt.Sprintf("key %d of the ring is not of 256 bits", i+1))
		}
		id := KeyID(raw)
		if slices.Contains(set.ids, id) {
			return nil, weak(fmt.Sprintf("key %d of the ring is there twice", i+1))
		}
		key := fernet.Key(raw)
		set.keys = append(set.keys, &key)
		set.ids = append(set.ids, id)
	}
	return set, nil
}

// seal encrypts with the first key and says in front which one that is.
func (s *keyset) seal(framed []byte) ([]byte, error) {
	token, err := fernet.EncryptAndSign(framed, s.keys[0])
	if err != nil {
		return nil, fault.Wrap(err, fault.Internal, "a value cannot be sealed").WithCode(CodeUnsealable)
	}
	return append(Mark(s.ids[0]), token...), nil
}

// open decrypts with the key that the mark names, or without a mark with whichever fits.
func (s *keyset) open(sealed []byte) ([]byte, error) {
	id, token := SealedBy(sealed)
	if id == "" {
		return decrypt(token, s.keys)
	}
	i := slices.Index(s.ids, id)
	if i < 0 {
		return nil, noKey()
	}
	return decrypt(token, s.keys[i:i+1])
}
