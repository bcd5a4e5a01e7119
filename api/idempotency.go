package api

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"

	"steward/internal/fault"
	"steward/internal/idempotency"
)

const maxKeyBytes = 255

// idempotencyKey reads the Idempotency-Key header (draft-ietf-httpapi-idempotency-key-header-07): a
// quoted string of structured fields, or the bare text that most clients send. Both forms name the same
// key. "" means that the caller sent none.
func idempotencyKey(header string) (string, error) {
	key := header
	if strings.HasPrefix(header, `"`) {
		inner, ok := strings.CutSuffix(header[1:], `"`)
		if !ok || strings.Contains(inner, `"`) || strings.Contains(inner, `\`) {
			return "", fault.InvalidField("header.Idempotency-Key", "not a key: unbalanced quotes or an escape")
		}
		key = inner
		if key == "" {
			return "", fault.InvalidField("header.Idempotency-Key", "the key is empty")
		}
	}
	if len(key) > maxKeyBytes {
		return "", fault.InvalidField("header.Idempotency-Key", "longer than %d bytes", maxKeyBytes)
	}
	for i := range len(key) {
		if key[i] < 0x21 || key[i] > 0x7e {
			return "", fault.InvalidField("header.Idempotency-Key", "only visible ASCII characters without spaces are allowed")
		}
	}
	return key, nil
}

// onceOf names a request of a route by its Idempotency-Key header and its body.
func onceOf(route, header string, body any) (o idempotency.Once, err error) {
	o.Route = route
	if o.Key, err = idempotencyKey(header); err == nil {
		o.Digest, err = bodyDigest(body)
	}
	return o, err
}

// bodyDigest identifies what a body asks for, whatever its formatting: "same key, other body" is about
// meaning, and a client may well re-encode its request before it tries again. Values that may be secret do not belong
// into it: the digest of a short password gives it away.
func bodyDigest(body any) ([]byte, error) {
	encoded, err := json.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("digest request body: %w", err)
	}
	sum := sha256.Sum256(encoded)
	return sum[:], nil
}

// unvalued is a map of settings without their values, for digests.
func unvalued(settings map[string]string) map[string]string {
	if settings == nil {
		return nil
	}
	names := make(map[string]string, len(settings))
	for name := range settings {
		names[name] = ""
	}
	return names
}

// replayed is the Idempotency-Replayed header.
func replayed(before bool) string {
	if before {
		return "true"
	}
	return ""
}
