package tool

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
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

// arguments parses and checks what the model wrote. It returns the canonical form, whose digest names
// the call, or an Invalid fault with a message that helps the model to do better.
func (s *schemas) arguments(t Tool, text string) ([]byte, error) {
	if text == "" {
		text = "{}"
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
