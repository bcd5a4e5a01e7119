package run

import (
	"encoding/json"
	"errors"
	"fmt"

	"steward/internal/fault"
	"steward/internal/secret"
	"steward/internal/shape"
)

// maxSchemaBytes bounds an output schema: it is read anew for each answer, and sent with each turn.
const maxSchemaBytes = 64 << 10

// checkOutputSchema says what is wrong with a schema for a final answer, in words that do not repeat it.
func checkOutputSchema(raw json.RawMessage) error {
	if len(raw) > maxSchemaBytes {
		return fmt.Errorf("must be at most %d bytes", maxSchemaBytes)
	}
	schema, err := shape.Compile(raw)
	if err != nil {
		return errors.New("cannot be used: " + fault.Text(err))
	}
	if _, err := secret.Canonical(raw); err != nil {
		return errors.New("must be one JSON object that names each member once")
	}
	if schema.Type() != "object" {
		return errors.New(`must describe an object: its "type" must be "object"`)
	}
	return nil
}
