package dialog

import (
	"encoding/json"
	"maps"
	"slices"
	"sort"
)

// Schema is the part of JSON schema that filling arguments needs. Everything else is ignored: the
// client validates arguments, this model only has to propose sensible ones.
type Schema struct {
	Type        string
	Format      string
	Description string
	Const       any
	Default     any
	Enum        []any
	Items       *Schema
	Properties  map[string]*Schema
	Required    []string
}

// Schema parses the parameters; a schema that cannot be understood is the empty one.
func (t Tool) Schema() *Schema {
	s := &Schema{}
	if err := json.Unmarshal(t.Parameters, s); err != nil {
		return &Schema{}
	}
	return s
}

// Properties names the properties, without the cost of parsing what they are.
func (t Tool) Properties() []string {
	var schema struct {
		Properties map[string]json.RawMessage `json:"properties"`
	}
	if err := json.Unmarshal(t.Parameters, &schema); err != nil {
		return nil
	}
	return slices.Sorted(maps.Keys(schema.Properties))
}

// UnmarshalJSON accepts "type" as a word or a list and looks through anyOf and oneOf for the first
// branch that is not null, which is how generators write optional values.
func (s *Schema) UnmarshalJSON(data []byte) error {
	var raw struct {
		Type        json.RawMessage    `json:"type"`
		Format      string             `json:"format"`
		Description string             `json:"description"`
		Const       any                `json:"const"`
		Default     any                `json:"default"`
		Enum        []any              `json:"enum"`
		Items       *Schema            `json:"items"`
		Properties  map[string]*Schema `json:"properties"`
		Required    []string           `json:"required"`
		AnyOf       []*Schema          `json:"anyOf"`
		OneOf       []*Schema          `json:"oneOf"`
	}
	if len(data) > 0 && data[0] != '{' { // true and false are schemas too
		return nil
	}
	if err := json.Unmarshal(data, &raw); err != nil {
		return err
	}
	for _, branch := range slices.Concat(raw.AnyOf, raw.OneOf) {
		if branch != nil && branch.Type != "null" {
			*s = *branch
			break
		}
	}
	if word := typeWord(raw.Type); word != "" {
		s.Type = word
	}
	s.Format, s.Description = raw.Format, raw.Description
	s.Const, s.Default = raw.Const, raw.Default
	if raw.Properties != nil {
		s.Properties = raw.Properties
	}
	if raw.Required != nil {
		s.Required = raw.Required
	}
	if raw.Items != nil {
		s.Items = raw.Items
	}
	if raw.Enum != nil {
		s.Enum = raw.Enum
	}
	return nil
}

// Optional names the properties that are not required, in alphabetical order.
func (s *Schema) Optional() []string {
	var names []string
	for name := range s.Properties {
		if !slices.Contains(s.Required, name) {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	return names
}

// Property returns the schema of a property, the empty schema when it is not described.
func (s *Schema) Property(name string) *Schema {
	if p := s.Properties[name]; p != nil {
		return p
	}
	return &Schema{}
}

func typeWord(raw json.RawMessage) string {
	var word string
	if json.Unmarshal(raw, &word) == nil {
		return word
	}
	var words []string
	if json.Unmarshal(raw, &words) == nil {
		for _, w := range words {
			if w != "null" {
				return w
			}
		}
	}
	return ""
}
