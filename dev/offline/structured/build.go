package structured

import (
	"encoding/json"
	"slices"

	"steward/dev/offline/dialog"
)

// builder makes one value. A reference that is being followed is not followed again, so recursive
// schemas end where they begin to repeat.
type builder struct {
	root   schema
	carry  bool            // the next string that is free and of which nothing is known holds the text
	room   int             // bytes that may still be used
	depth  int             // of schemas that are being built
	active map[string]bool // references that are being followed
}

// place is where a value stands, and what is known there.
type place struct {
	name  string // of the property, "" at the root
	text  string // the answer in prose, "" inside of items
	facts dialog.Facts
	item  bool // facts are those of one item
}

// made is a value, and whether something known is in it.
type made struct {
	value any
	found bool
}

// cost is what every value takes of the room, however small it is.
const cost = 32

// value builds what fits the schema. Ok is false when nothing does, as far as this package can tell.
func (b *builder) value(s schema, at place) (made, bool) {
	b.room -= cost
	if s == nil || b.room < 0 || b.depth >= maxDepth || s.hasAny(beyond...) {
		return made{}, false
	}
	b.depth++
	defer func() { b.depth-- }()
	switch {
	case s.hasAny("$ref"):
		return b.reference(s, at)
	case s.hasAny("allOf"):
		if all := s.branches("allOf"); len(all) == 1 && s.only("allOf") {
			return b.value(all[0], at)
		}
		return made{}, false
	case s.hasAny("anyOf", "oneOf"):
		return b.branch(s, at)
	case s.hasAny("const", "enum"):
		return b.listed(s, at)
	}
	types := s.types()
	if len(types) == 0 {
		types = []string{"string", "number", "null"}
	}
	m, ok := b.best(types, s, at)
	if m.found {
		return m, ok
	}
	if value, given := s["default"]; given && b.plain(s, value) {
		return made{value: value}, true
	}
	if slices.Contains(types, "null") {
		return made{}, true
	}
	return m, ok
}

func (b *builder) reference(s schema, at place) (made, bool) {
	ref, _ := s["$ref"].(string)
	if !s.only("$ref") || b.active[ref] {
		return made{}, false
	}
	b.active[ref] = true
	defer delete(b.active, ref)
	return b.value(b.root.resolve(ref), at)
}

// branch takes the first branch with something known in it, else null, else the first that can be
// built. Of oneOf, the others must not fit as well.
func (b *builder) branch(s schema, at place) (made, bool) {
	keyword := "anyOf"
	if s.hasAny("oneOf") {
		keyword = "oneOf"
	}
	if !s.only(keyword) {
		return made{}, false
	}
	branches := s.branches(keyword)
	fallback, ok := made{}, false
	for i, branch := range branches {
		m, fits := b.value(branch, at)
		if !fits || keyword == "oneOf" && !b.alone(m.value, i, branches) {
			continue
		}
		if m.found {
			return m, true
		}
		if !ok || m.value == nil {
			fallback, ok = m, true
		}
	}
	return fallback, ok
}

// alone reports whether its type, or a constant, keeps the value of a branch out of all others.
func (b *builder) alone(value any, own int, branches []schema) bool {
	for i, other := range branches {
		b.room -= cost
		if ref, ok := other["$ref"].(string); ok {
			other = b.root.resolve(ref)
		}
		if other != nil && i != own && !excludes(other, value) || b.room < 0 {
			return false
		}
	}
	return true
}

func excludes(s schema, value any) bool {
	if s.hasAny("type") && !slices.ContainsFunc(s.types(), func(t string) bool { return isType(t, value) }) {
		return true
	}
	object, _ := value.(map[string]any)
	properties, _ := s["properties"].(map[string]any)
	for name, v := range object {
		if text, ok := asSchema(properties[name])["const"].(string); ok && v != any(text) {
			return true
		}
	}
	text, ok := s["const"].(string)
	return ok && value != any(text)
}

// best is the first type with something known, else the first one that can be built.
func (b *builder) best(types []string, s schema, at place) (made, bool) {
	fallback, ok := made{}, false
	for _, t := range types {
		m, fits := b.typed(t, s, at)
		if fits && m.found {
			return m, true
		}
		if fits && !ok {
			fallback, ok = m, true
		}
	}
	return fallback, ok
}

func (b *builder) typed(t string, s schema, at place) (made, bool) {
	b.room -= cost
	switch t {
	case "object":
		return b.object(s, at)
	case "array":
		return b.array(s, at)
	case "string":
		return b.string(s, at)
	case "integer", "number":
		return number(t, s, at)
	case "boolean":
		v, found := lookup[bool](at)
		return made{v, found}, true
	case "null":
		return made{}, true
	}
	return made{}, false
}

// isType reports whether a value is of a type of JSON schema.
func isType(t string, value any) bool {
	switch v := value.(type) {
	case nil:
		return t == "null"
	case bool:
		return t == "boolean"
	case string:
		return t == "string"
	case []any:
		return t == "array"
	case map[string]any:
		return t == "object"
	case json.Number:
		return t == "number" || t == "integer" && whole(v)
	}
	return false
}

// written is a value as JSON in which equal numbers look equal, for comparing.
func written(value any) string {
	data, err := json.Marshal(value)
	if err != nil {
		return ""
	}
	var plain any
	if json.Unmarshal(data, &plain) != nil {
		return string(data)
	}
	if data, err = json.Marshal(plain); err != nil {
		return ""
	}
	return string(data)
}
