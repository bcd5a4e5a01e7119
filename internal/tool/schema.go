package tool

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"sync"

	"github.com/google/jsonschema-go/jsonschema"

	"steward/internal/fault"
	"steward/internal/secret"
)

// schemas holds compiled input schemas by pin. A pin is content-addressed, so an entry is never stale;
// the map starts anew when it is full, which no realistic set of tools reaches.
type schemas struct {
	mu    sync.Mutex
	byPin map[string]*jsonschema.Resolved
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
		return nil, fault.Wrap(err, fault.Invalid, "the tool's input schema cannot be used: the call is not possible")
	}
	if err := schema.Validate(value); err != nil {
		return nil, fault.New(fault.Invalid, "the arguments do not fit the tool's input schema: %s", Clean(err.Error(), 500))
	}
	return canonical, nil
}

func (s *schemas) compile(t Tool) (*jsonschema.Resolved, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.byPin[t.Pin]; r != nil {
		return r, nil
	}
	var doc jsonschema.Schema
	if err := json.Unmarshal(t.InputSchema, &doc); err != nil {
		return nil, fmt.Errorf("parse input schema: %w", err)
	}
	resolved, err := doc.Resolve(&jsonschema.ResolveOptions{Loader: refuseRemote})
	if err != nil {
		return nil, fmt.Errorf("resolve input schema: %w", err)
	}
	if s.byPin == nil || len(s.byPin) >= maxSchemas {
		s.byPin = map[string]*jsonschema.Resolved{}
	}
	s.byPin[t.Pin] = resolved
	return resolved, nil
}

// refuseRemote: a schema must not make us fetch what it names (MCP 2026-07-28, tools: $ref).
func refuseRemote(*url.URL) (*jsonschema.Schema, error) {
	return nil, errors.New("remote references are not followed")
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
