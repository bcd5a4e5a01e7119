package input

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"steward/internal/fault"
)

// Bounds of a schema.
const (
	maxFields    = 64
	maxVariables = 16
	maxChoices   = 100
	maxText      = 4096 // bytes of a description, default, placeholder, choice or fixed value
)

// Check says what is wrong with a schema at location. name says why something cannot be the name of a field, or
// nothing.
func Check(location string, fields []Field, name func(string) string) []fault.Field {
	if len(fields) > maxFields {
		return []fault.Field{{Location: location, Message: fmt.Sprintf("holds more than %d inputs", maxFields)}}
	}
	var wrong []fault.Field
	seen := map[string]bool{}
	for n, f := range fields {
		at := fmt.Sprintf("%s[%d]", location, n)
		why := name(f.Name)
		if why == "" && seen[strings.ToLower(f.Name)] {
			why = "stands there twice"
		}
		if why != "" {
			wrong = append(wrong, fault.Field{Location: at + ".name", Message: why})
		}
		seen[strings.ToLower(f.Name)] = true
		wrong = append(wrong, f.check(at)...)
	}
	return wrong
}

func (f Field) check(at string) []fault.Field {
	wrong := f.Input.check(at)
	names := placeholders(f.Value)
	if len(f.Variables) > maxVariables {
		wrong = append(wrong, fault.Field{Location: at + ".variables", Message: fmt.Sprintf("holds more than %d", maxVariables)})
	}
	for _, name := range names {
		if _, declared := f.Variables[name]; !declared {
			wrong = append(wrong, fault.Field{Location: at + ".value", Message: "names a variable that variables does not declare"})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(f.Variables)) {
		v := f.Variables[name]
		within := at + ".variables"
		switch {
		case !slices.Contains(names, name):
			wrong = append(wrong, fault.Field{Location: within, Message: "declares a variable that value does not name"})
		case v.Value != "" || len(v.Variables) > 0:
			wrong = append(wrong, fault.Field{Location: within, Message: "holds a variable with a fixed value: write it into value"})
		default:
			wrong = append(wrong, v.check(within)...)
		}
	}
	return wrong
}

func (i Input) check(at string) []fault.Field {
	var wrong []fault.Field
	say := func(part, why string) { wrong = append(wrong, fault.Field{Location: at + part, Message: why}) }
	if !slices.Contains([]Format{"", Text, Number, Boolean, Filepath}, i.Format) {
		say(".format", "is none of string, number, boolean and filepath")
	}
	if len(i.Choices) > maxChoices {
		say(".choices", fmt.Sprintf("holds more than %d", maxChoices))
	}
	for _, p := range []struct{ part, text string }{
		{".description", i.Description}, {".default", i.Default}, {".placeholder", i.Placeholder}, {".value", i.Value},
	} {
		if tooMuch(p.text) {
			say(p.part, bound)
		}
	}
	if slices.ContainsFunc(i.Choices, tooMuch) {
		say(".choices", bound)
	}
	switch {
	case i.Secret && i.Default != "":
		say(".default", "a secret has no default: it would be no secret")
	case i.Secret && i.Value != "" && len(i.Variables) == 0:
		say(".value", "a secret has no fixed value: leave it out, and each user stores an own one")
	case i.Default != "" && i.Fits(i.Default) != "":
		say(".default", i.Fits(i.Default))
	}
	return wrong
}

const bound = "holds U+0000 or is too long"

func tooMuch(text string) bool { return len(text) > maxText || strings.ContainsRune(text, 0) }
