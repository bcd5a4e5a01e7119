package mcp

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"steward/internal/fault"
)

// shape is a Go type as a JSON Schema, made from the same tags as the HTTP API's, so that both complain alike.
type shape struct {
	types  huma.Registry
	schema *huma.Schema
	text   json.RawMessage
}

// shapeOf panics for a type that has no schema, which is a programming error that the first start shows.
func shapeOf[T any]() shape {
	const definitions = "#/$defs/"
	types := huma.NewMapRegistry(definitions, huma.DefaultSchemaNamer)
	schema := huma.SchemaFromType(types, reflect.TypeFor[T]())
	schema.PrecomputeMessages()
	doc := map[string]any{}
	if err := remarshal(schema, &doc); err != nil {
		panic(fmt.Errorf("schema of %s: %w", reflect.TypeFor[T](), err))
	}
	if defs := types.Map(); len(defs) > 0 {
		doc["$defs"] = defs
	}
	text, err := json.Marshal(doc)
	if err != nil {
		panic(fmt.Errorf("schema of %s: %w", reflect.TypeFor[T](), err))
	}
	return shape{types: types, schema: schema, text: text}
}

// SchemaOf is the JSON Schema (2020-12) of T, whose tags are Huma's.
func SchemaOf[T any]() json.RawMessage { return shapeOf[T]().text }

func remarshal(from, to any) error {
	text, err := json.Marshal(from)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, to)
}

// read decodes arguments into T after checking them. Complaints name the argument and never repeat its value.
func read[T any](s shape, arguments json.RawMessage) (T, error) {
	var in T
	if len(arguments) == 0 || string(arguments) == "null" {
		arguments = json.RawMessage("{}")
	}
	var raw any
	if err := json.Unmarshal(arguments, &raw); err != nil {
		return in, fault.New(fault.Malformed, "the arguments are not a JSON object")
	}
	if err := s.check(raw); err != nil {
		return in, err
	}
	if err := json.Unmarshal(arguments, &in); err != nil {
		return in, fault.New(fault.Invalid, "the arguments do not fit the tool's schema")
	}
	return in, nil
}

func (s shape) check(value any) error {
	var found huma.ValidateResult
	huma.Validate(s.types, s.schema, huma.NewPathBuffer([]byte("arguments"), len("arguments")), huma.ModeWriteToServer, value, &found)
	if len(found.Errors) == 0 {
		return nil
	}
	complaint := &fault.Error{Kind: fault.Invalid}
	var texts []string
	for _, err := range found.Errors {
		detail, ok := err.(*huma.ErrorDetail) //nolint:errorlint // Huma's own list
		if !ok {
			continue
		}
		complaint.Fields = append(complaint.Fields, fault.Field{Location: detail.Location, Message: detail.Message})
		texts = append(texts, detail.Location+": "+detail.Message)
	}
	complaint.Msg = strings.Join(texts, "; ")
	return complaint
}

// object is a JSON object as it was written: numbers keep their digits.
type object []byte

// Schema is any object.
func (object) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true}
}

// UnmarshalJSON keeps the text; null is nothing.
func (o *object) UnmarshalJSON(text []byte) error {
	if *o = nil; string(text) != "null" {
		*o = bytes.Clone(text)
	}
	return nil
}

// MarshalJSON is the text.
func (o object) MarshalJSON() ([]byte, error) { return o, nil }
