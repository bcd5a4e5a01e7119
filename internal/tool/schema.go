package tool

import (
	"bytes"
	"encoding/json"
	"slices"
	"sync"

	"steward/internal/fault"
	"steward/internal/secret"
	"steward/internal/shape"
)

// schemas holds compiled input schemas by pin. A pin is content-addressed, so an entry is never stale;
// the map starts anew when it is full, which no realistic set of tools reaches.
type schemas struct {
	mu    sync.Mutex
	byPin map[string]*shape.Schema
}

const maxSchemas = 4096

// maxArguments bounds what one call may carry, in bytes.
const maxArguments = 1 << 20

// arguments parses and checks what the model wrote. It returns the canonical form, whose digest names
// the call, or an Invalid fault with a message that helps the model to do better.
func (s *schemas) arguments(t Tool, text string) ([]byte, error) {
	if text == "" {
		text = "{}"
	}
	if len(text) > maxArguments {
		return nil, fault.New(fault.Invalid, "the arguments are larger than 1 MiB")
	}
	canonical, err := secret.Canonical(json.RawMessage(text))
	if err != nil {
		return nil, fault.New(fault.Invalid, "the arguments are not valid JSON: each key once, nothing after the object")
	}
	var value any
	if err := json.Unmarshal(canonical, &value); err != nil {
		return nil, fault.New(fault.Invalid, "the arguments are not valid JSON")
	}
	if _, ok := value.(map[string]any); !ok {
		return nil, fault.New(fault.Invalid, "the arguments must be a JSON object")
	}
	schema, err := s.compile(t)
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "the tool's input schema cannot be used, so the call is not possible: %s", fault.Text(err))
	}
	if err := schema.Validate(value); err != nil {
		return nil, fault.New(fault.Invalid, "the arguments do not fit the tool's input schema: %s", Clean(err.Error(), 500))
	}
	return canonical, nil
}

// compile works outside of the lock: a foreign schema may take seconds, and others must not wait for it. Two who
// come at once may both compile.
func (s *schemas) compile(t Tool) (*shape.Schema, error) {
	s.mu.Lock()
	known := s.byPin[t.Pin]
	s.mu.Unlock()
	if known != nil {
		return known, nil
	}
	compiled, err := shape.Compile(t.InputSchema)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byPin == nil || len(s.byPin) >= maxSchemas {
		s.byPin = map[string]*shape.Schema{}
	}
	s.byPin[t.Pin] = compiled
	return compiled, nil
}

// explaining are the members of a schema that are text for readers; the others decide what is valid.
var explaining = []string{"$comment", "description", "title"}

// legibleSchema removes hidden text from what a schema says to its readers. A schema without any stays as it is.
func legibleSchema(doc json.RawMessage) (clean json.RawMessage, hidden bool) {
	var schema any
	d := json.NewDecoder(bytes.NewReader(doc))
	d.UseNumber()
	if err := d.Decode(&schema); err != nil || !reveal(schema) {
		return doc, false
	}
	clean, err := json.Marshal(schema)
	if err != nil {
		return doc, true
	}
	return clean, true
}

// reveal cleans a schema in place and says whether something was hidden.
func reveal(schema any) (hidden bool) {
	switch v := schema.(type) {
	case map[string]any:
		for name, member := range v {
			text, ok := member.(string)
			if !ok || !slices.Contains(explaining, name) {
				hidden = reveal(member) || hidden
				continue
			}
			shown, found := legible(text)
			v[name], hidden = shown, hidden || found
		}
	case []any:
		for _, member := range v {
			hidden = reveal(member) || hidden
		}
	}
	return hidden
}
