package activities

import (
	"encoding/json"
	"errors"
	"fmt"

	"steward/internal/secret"
	"steward/internal/shape"
	"steward/internal/tool"
)

// fits reads a final text as what the run's output schema asks for. The error is for the model and for people.
func fits(schema json.RawMessage, text string) (json.RawMessage, error) {
	if _, err := secret.Canonical(json.RawMessage(text)); err != nil { // two members of one name mean different things to different readers
		return nil, errors.New("it is not one JSON value, or names a member twice")
	}
	var value any
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		return nil, errors.New("it is not JSON")
	}
	compiled, err := shape.Compile(schema)
	if err != nil {
		return nil, fmt.Errorf("read output schema: %w", err)
	}
	if err := compiled.Validate(value); err != nil {
		return nil, errors.New(tool.Clean(err.Error(), 500))
	}
	return json.RawMessage(text), nil
}

// complaint asks for a final answer that fits, after one that does not.
func complaint(schema json.RawMessage, text string) json.RawMessage {
	_, err := fits(schema, text)
	return note(fmt.Sprintf("Your final answer does not fit the output schema: %v. Answer again with nothing but one JSON value that fits it.", err))
}
