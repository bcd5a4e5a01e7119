package structured

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
)

// Bounds of a schema; those of the service for the schemas of runs.
const (
	maxBytes = 64 << 10
	maxDepth = 64
)

// schema is a JSON Schema as it was written, numbers as json.Number. The schema true is the empty
// one, false is nil.
type schema map[string]any

// read parses a schema, which must be an object.
func read(raw []byte) (schema, error) {
	if len(raw) > maxBytes {
		return nil, errors.New("the schema is too long")
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var s schema
	if err := decoder.Decode(&s); err != nil {
		return nil, err
	}
	if s == nil {
		return nil, errors.New("the schema is null")
	}
	delete(s, "$id") // references into the root lead where they did; a base below it would change that
	return s, nil
}

// beyond are the keywords that this package does not understand, and may not ignore.
var beyond = []string{
	"$id", "$anchor", "$dynamicRef", "$recursiveRef", "not", "if", "then", "else", "dependencies", "dependentSchemas",
	"dependentRequired", "patternProperties", "propertyNames", "contains", "minContains", "maxContains",
	"unevaluatedItems", "unevaluatedProperties",
}

// notes are the keywords that say nothing of what is valid.
var notes = []string{
	"$schema", "$comment", "$defs", "definitions", "title", "description", "default", "examples", "deprecated",
	"readOnly", "writeOnly", "format", "discriminator",
}

func (s schema) hasAny(keywords ...string) bool {
	return slices.ContainsFunc(keywords, func(k string) bool { _, ok := s[k]; return ok })
}

// only reports whether the schema says nothing of what is valid but by the keywords.
func (s schema) only(keywords ...string) bool {
	for k := range s {
		if !slices.Contains(keywords, k) && !slices.Contains(notes, k) && !strings.HasPrefix(k, "x-") {
			return false
		}
	}
	return true
}

// asSchema reads a place where a schema stands; false, and what is no schema, are nil.
func asSchema(v any) schema {
	switch v := v.(type) {
	case map[string]any:
		return v
	case bool:
		if v {
			return schema{}
		}
	}
	return nil
}

// schemas are the schemas of an object such as that of the properties.
func (s schema) schemas(keyword string) map[string]schema {
	object, _ := s[keyword].(map[string]any)
	list := make(map[string]schema, len(object))
	for name, v := range object {
		list[name] = asSchema(v)
	}
	return list
}

// branches are the schemas of a list such as anyOf.
func (s schema) branches(keyword string) []schema {
	items, _ := s[keyword].([]any)
	var list []schema
	for _, v := range items {
		list = append(list, asSchema(v))
	}
	return list
}

// types are the allowed types. Without the keyword they are guessed from others; none means any.
func (s schema) types() []string {
	switch t := s["type"].(type) {
	case string:
		return []string{t}
	case []any:
		var list []string
		for _, v := range t {
			word, _ := v.(string)
			list = append(list, word)
		}
		return list
	}
	switch {
	case s.hasAny("properties", "required", "additionalProperties", "minProperties"):
		return []string{"object"}
	case s.hasAny("items", "prefixItems", "minItems"):
		return []string{"array"}
	case s.hasAny("minLength", "maxLength", "pattern"):
		return []string{"string"}
	case s.hasAny("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"):
		return []string{"number"}
	}
	return nil
}

// order are the names of the properties, the required ones first and as they are listed.
func (s schema) order() []string {
	var names []string
	required, _ := s["required"].([]any)
	for _, v := range required {
		if name, ok := v.(string); ok && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.schemas("properties"))) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// required reports whether the property must be there.
func (s schema) required(name string) bool {
	list, _ := s["required"].([]any)
	return slices.Contains(list, any(name))
}

var unescape = strings.NewReplacer("~1", "/", "~0", "~") // RFC 6901 §4

// resolve follows a reference inside the schema: "#" or a JSON pointer.
func (s schema) resolve(ref string) schema {
	pointer, local := strings.CutPrefix(ref, "#")
	if !local || strings.Contains(pointer, "%") {
		return nil
	}
	if pointer == "" {
		return s
	}
	path := strings.Split(pointer, "/")
	if path[0] != "" || len(path) > maxDepth {
		return nil
	}
	var at any = map[string]any(s)
	for _, part := range path[1:] {
		object, _ := at.(map[string]any)
		at = object[unescape.Replace(part)]
	}
	return asSchema(at)
}
