package run

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/google/jsonschema-go/jsonschema"

	"steward/internal/secret"
)

// Bounds of a schema. Reading one takes time that grows with the square of its depth: 64 KiB of nothing but
// opening braces keep a processor busy for seconds.
const (
	maxSchemaBytes = 64 << 10
	maxSchemaDepth = 64
)

// checkOutputSchema says what is wrong with a schema for a final answer, in words that do not repeat it. References
// are followed inside the schema alone: nothing is fetched because a request names it.
func checkOutputSchema(raw json.RawMessage) error {
	if len(raw) > maxSchemaBytes {
		return fmt.Errorf("must be at most %d bytes", maxSchemaBytes)
	}
	if depth(raw) > maxSchemaDepth {
		return fmt.Errorf("must be nested at most %d levels deep", maxSchemaDepth)
	}
	if _, err := secret.Canonical(raw); err != nil {
		return errors.New("must be one JSON object that names each member once")
	}
	var schema jsonschema.Schema
	if err := json.Unmarshal(raw, &schema); err != nil {
		return errors.New("is not a JSON Schema")
	}
	if schema.Type != "object" {
		return errors.New(`must describe an object: its "type" must be "object"`)
	}
	if _, err := schema.Resolve(nil); err != nil { // without a loader remote references are errors
		return errors.New("cannot be used: a reference leads out of it or nowhere, or a keyword has no meaning")
	}
	return nil
}

// depth is how deep a document is nested, as far as it is JSON.
func depth(raw []byte) (deepest int) {
	level := 0
	for in := json.NewDecoder(bytes.NewReader(raw)); ; {
		token, err := in.Token()
		if err != nil {
			return deepest // the end, or not JSON: whoever reads it next says so
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			level++
			deepest = max(deepest, level)
		case json.Delim('}'), json.Delim(']'):
			level--
		}
	}
}
