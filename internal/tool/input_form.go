package tool

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/mail"
	"net/url"
	"slices"
	"strings"
	"time"

	"steward/internal/fault"
	"steward/internal/shape"
)

// field is what a form says of one of its fields (MCP, elicitation: primitive schemas).
type field struct {
	Type      string   `json:"type"`
	Format    string   `json:"format"`
	MinLength *int     `json:"minLength"`
	MaxLength *int     `json:"maxLength"`
	Minimum   *float64 `json:"minimum"`
	Maximum   *float64 `json:"maximum"`
	Enum      []any    `json:"enum"`
	OneOf     []struct {
		Const any `json:"const"`
	} `json:"oneOf"`
}

// formats are those that a form may ask for. The library takes them for remarks.
var formats = map[string]func(string) bool{
	"email": func(s string) bool {
		a, err := mail.ParseAddress(s)
		return err == nil && a.Address == s
	},
	"uri": func(s string) bool {
		u, err := url.Parse(s)
		return err == nil && u.Scheme != ""
	},
	"date":      func(s string) bool { return parses(time.DateOnly, s) },
	"date-time": func(s string) bool { return parses(time.RFC3339, s) },
}

func parses(layout, s string) bool {
	_, err := time.Parse(layout, s)
	return err == nil
}

// fill holds an answer to a form, field by field, so that a complaint says where. It says what is asked for and
// repeats nothing of the answer, which may be private.
func fill(form json.RawMessage, content []byte) error {
	var given map[string]any
	if err := json.Unmarshal(content, &given); err != nil || given == nil {
		return fault.InvalidField("body.content", "must be an object")
	}
	var parts struct {
		Properties map[string]json.RawMessage `json:"properties"`
		Required   []string                   `json:"required"`
	}
	if err := json.Unmarshal(form, &parts); err != nil {
		return fault.Wrap(err, fault.Invalid, "the server's form cannot be read: decline it")
	}
	for _, name := range parts.Required {
		if _, ok := given[name]; !ok {
			return complain(name, "is required")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		part, ok := parts.Properties[name]
		if !ok {
			return complain(name, "is not asked for")
		}
		if !fitsField(part, given[name]) {
			return complain(name, "must be "+demand(part))
		}
	}
	whole, err := shape.Compile(form)
	if err != nil {
		return fault.Wrap(err, fault.Invalid, "the server's form cannot be used: decline it")
	}
	if err := whole.Validate(given); err != nil {
		return fault.InvalidField("body.content", "the fields do not fit together as the server's form wants")
	}
	return nil
}

func complain(name, text string) error {
	return fault.InvalidField("body.content."+Clean(name, maxToolName), "%s", text)
}

// fitsField is true for a part that cannot be judged by itself: the whole form decides.
func fitsField(part json.RawMessage, value any) bool {
	schema, err := shape.Compile(part)
	if err != nil {
		return true
	}
	if schema.Validate(value) != nil {
		return false
	}
	var f field
	text, isText := value.(string)
	if json.Unmarshal(part, &f) != nil || !isText {
		return true
	}
	holds := formats[f.Format]
	return holds == nil || holds(text)
}

// demand says in words what a field must be.
func demand(part json.RawMessage) string {
	var f field
	if json.Unmarshal(part, &f) != nil {
		return "as the server's form says"
	}
	words := []string{map[string]string{
		"string": "text", "number": "a number", "integer": "a whole number", "boolean": "true or false", "array": "a list",
	}[f.Type]}
	if words[0] == "" {
		words[0] = "as the server's form says"
	}
	if formats[f.Format] != nil {
		words = append(words, "in the format "+f.Format)
	}
	for _, o := range f.OneOf {
		f.Enum = append(f.Enum, o.Const)
	}
	for _, bound := range []struct {
		text string
		at   *float64
	}{{"at least", f.Minimum}, {"at most", f.Maximum}} {
		if bound.at != nil {
			words = append(words, fmt.Sprintf("%s %v", bound.text, *bound.at))
		}
	}
	for _, bound := range []struct {
		text string
		at   *int
	}{{"at least", f.MinLength}, {"at most", f.MaxLength}} {
		if bound.at != nil {
			words = append(words, fmt.Sprintf("%s %d characters", bound.text, *bound.at))
		}
	}
	if len(f.Enum) > 0 {
		words = append(words, "one of the choices")
	}
	return strings.Join(words, ", ")
}
