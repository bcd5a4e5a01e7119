package tool

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"steward/internal/fault"
	"steward/internal/shape"
)

// Bounds of complaints: a person reads a few, and each costs a compilation.
const (
	maxComplaints   = 16
	maxLocatedDepth = 8
)

// located says at which argument a complaint about all of them arises. What cannot be told apart stays one complaint.
func located(t Tool, where string, arguments json.RawMessage, err error) error {
	l := locator{}
	var schema, value any
	if json.Unmarshal(t.InputSchema, &schema) == nil && json.Unmarshal(arguments, &value) == nil {
		root, _ := schema.(map[string]any)
		l.definitions = shared(root)
		l.look(where, root, value, 0)
	}
	if len(l.fields) == 0 {
		return fault.InvalidField(where, "%s", strings.TrimPrefix(fault.Text(err), "the arguments "))
	}
	first := l.fields[0]
	return &fault.Error{Kind: fault.Invalid, Msg: first.Location + ": " + first.Message, Fields: l.fields, Err: err}
}

// locator compares a value with a schema member by member. It explains a refusal and never decides on one.
type locator struct {
	definitions map[string]any // of the whole schema, for references
	fields      []fault.Field
}

func shared(root map[string]any) map[string]any {
	out := map[string]any{}
	for _, keyword := range []string{"$defs", "definitions", "$schema"} {
		if value, ok := root[keyword]; ok {
			out[keyword] = value
		}
	}
	return out
}

func (l *locator) complain(where, format string, args ...any) {
	if len(l.fields) < maxComplaints {
		l.fields = append(l.fields, fault.Field{Location: Clean(where, 200), Message: Clean(fmt.Sprintf(format, args...), 300)})
	}
}

// look complains about everything in value that it can name, and about value as a whole if there is nothing.
func (l *locator) look(where string, schema map[string]any, value any, depth int) {
	before := len(l.fields)
	if object, ok := value.(map[string]any); ok && depth < maxLocatedDepth {
		l.members(where, schema, object, depth)
	}
	if list, ok := value.([]any); ok && depth < maxLocatedDepth {
		if items, ok := schema["items"].(map[string]any); ok {
			for i, item := range list {
				l.judge(fmt.Sprintf("%s[%d]", where, i), items, item, depth)
			}
		}
	}
	if len(l.fields) == before && depth > 0 {
		l.complain(where, "%s", wanted(schema))
	}
}

func (l *locator) members(where string, schema, object map[string]any, depth int) {
	properties, _ := schema["properties"].(map[string]any)
	required, _ := schema["required"].([]any)
	for _, name := range required {
		if name, ok := name.(string); ok {
			if _, given := object[name]; !given {
				l.complain(where+"."+name, "is required")
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		property, known := properties[name]
		switch inner, ok := property.(map[string]any); {
		case ok:
			l.judge(where+"."+name, inner, object[name], depth)
		case !known && schema["additionalProperties"] == false && schema["patternProperties"] == nil:
			l.complain(where+"."+name, "the tool has no such argument")
		}
	}
}

// judge looks closer at what does not fit.
func (l *locator) judge(where string, schema map[string]any, value any, depth int) {
	if len(l.fields) >= maxComplaints {
		return
	}
	alone := maps.Clone(l.definitions)
	maps.Copy(alone, schema)
	doc, err := json.Marshal(alone)
	if err != nil {
		return
	}
	compiled, err := shape.Compile(doc)
	if err != nil || compiled.Validate(value) == nil { // a reference that leads elsewhere cannot be followed from here
		return
	}
	l.look(where, schema, value, depth+1)
}

// wanted says what a schema expects, without the value that it did not get.
func wanted(schema map[string]any) string {
	for _, keyword := range []string{"enum", "const", "type", "pattern", "format", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength", "minItems", "maxItems"} {
		rule, ok := schema[keyword]
		if !ok {
			continue
		}
		doc, err := json.Marshal(rule)
		if err == nil && keyword == "type" && len(schema) > 1 {
			return "does not fit: expected " + strings.Trim(string(doc), `"`) + rest(schema)
		}
		if err == nil {
			return fmt.Sprintf("does not fit: expected %s %s", keyword, doc)
		}
	}
	return "does not fit the tool's input schema"
}

// rest names the bounds beside a type.
func rest(schema map[string]any) string {
	var out strings.Builder
	for _, bound := range []string{"format", "pattern", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "minItems", "maxItems"} {
		if rule, ok := schema[bound]; ok {
			doc, err := json.Marshal(rule)
			if err == nil {
				fmt.Fprintf(&out, ", %s %s", bound, doc)
			}
		}
	}
	return out.String()
}
