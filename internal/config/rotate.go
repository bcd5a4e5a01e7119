package config

import (
	"fmt"
	"slices"
	"strings"

	"steward/internal/fault"
	"steward/internal/secret"
)

// Rings are the variables whose value is a list of keys that can be rotated.
func Rings() []string { return []string{"FERNET_KEYS", "STEWARD_CODEC_KEYS"} }

// ReadRing returns the list of keys that the keys file has for a ring.
func ReadRing(path, ring string) (secret.String, error) {
	stored, err := readKeys(path)
	if err != nil {
		return secret.String{}, fmt.Errorf("keys file: %w", err)
	}
	if stored[ring] == "" {
		return secret.String{}, fault.New(fault.NotFound, "%s is not in the keys file", ring)
	}
	return secret.New(stored[ring]), nil
}

// AddKey puts a key at the end of a ring in the keys file: every process can open with it before any
// seals with it.
func AddKey(path, ring string, key secret.String) error {
	return editRing(path, ring, func(keys []string) ([]string, error) {
		return append(keys, key.Reveal()), nil
	})
}

// PromoteKey moves the key with that id to the front of its ring, from where it seals.
func PromoteKey(path, ring, id string) error {
	return editRing(path, ring, func(keys []string) ([]string, error) {
		i, err := findKey(keys, id)
		if err != nil {
			return nil, err
		}
		key := keys[i]
		return slices.Insert(slices.Delete(keys, i, i+1), 0, key), nil
	})
}

// RetireKey takes a key out of its ring, for good. The sealing key is refused (kind Conflict). Whether
// anything is still sealed with it is for the caller to know.
func RetireKey(path, ring, id string) error {
	return editRing(path, ring, func(keys []string) ([]string, error) {
		i, err := findKey(keys, id)
		if err != nil {
			return nil, err
		}
		if i == 0 {
			return nil, fault.New(fault.Conflict, "key %s seals: promote another one first", id)
		}
		return slices.Delete(keys, i, i+1), nil
	})
}

func editRing(path, ring string, edit func(keys []string) ([]string, error)) error {
	if !slices.Contains(Rings(), ring) {
		return fault.New(fault.Invalid, "%s is not a ring of keys", ring)
	}
	return editKeys(path, func(lines []string) ([]string, error) {
		at := slices.IndexFunc(lines, func(line string) bool { return strings.HasPrefix(line, ring+"=") })
		if at < 0 {
			return nil, fault.New(fault.NotFound, "%s is not in the keys file", ring)
		}
		keys, err := edit(splitList(strings.TrimPrefix(lines[at], ring+"=")))
		if err != nil {
			return nil, err
		}
		list := strings.Join(keys, ",")
		if _, err := secret.NewRing(secret.New(list)); err != nil {
			return nil, err // nobody could start with it
		}
		lines[at] = ring + "=" + list
		return lines, nil
	})
}

// splitList is the keys of a list without the blanks that a person may have put around them.
func splitList(list string) []string {
	keys := strings.Split(list, ",")
	for i, key := range keys {
		keys[i] = strings.TrimSpace(key)
	}
	return keys
}

func findKey(keys []string, id string) (int, error) {
	for i, key := range keys {
		if got, err := keyID(key); err == nil && got == id {
			return i, nil
		}
	}
	return 0, fault.New(fault.NotFound, "no key %s in this ring", id)
}

func keyID(key string) (string, error) {
	raw, err := secret.DecodeKey(secret.New(key))
	if err != nil {
		return "", fmt.Errorf("read key: %w", err)
	}
	return secret.KeyID(raw), nil
}
