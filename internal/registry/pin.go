package registry

import (
	"encoding/json"
	"fmt"

	"steward/internal/secret"
)

// Pin is the digest of a whole tool definition: name, title, description, schemas, annotations, _meta.
// Anything that a server changes later shows as another pin.
func Pin(definition json.RawMessage) (string, error) {
	doc, err := secret.Canonical(definition)
	if err != nil {
		return "", fmt.Errorf("canonical tool definition: %w", err)
	}
	return secret.Digest(doc), nil
}
