// Package input is what a server asks of those who run it: named values with a description, defaults and a word on
// whether they are secret, in the terms of the official MCP registry (server.schema.json of 2025-12-11, Input and
// KeyValueInput). Values are put in place by pure substitution: one pass, no expressions, nothing is looked up in
// what was put in (security.md T-24).
package input

import (
	"encoding/json"
	"slices"

	"steward/internal/secret"
)

// Input is one value.
type Input struct {
	Description string `json:"description,omitempty"`
	Required    bool   `json:"isRequired,omitempty"`
	Secret      bool   `json:"isSecret,omitempty"` // never shown, and each user's own
	Default     string `json:"default,omitempty"`
	Placeholder string `json:"placeholder,omitempty"`
	// Choices are the values allowed; none: any.
	Choices []string `json:"choices,omitempty"`
	Format  Format   `json:"format,omitempty"`
	// Value is fixed: nobody is asked for it, but for the Variables whose names stand in it in braces.
	Value     string           `json:"value,omitempty"`
	Variables map[string]Input `json:"variables,omitempty"`
}

// Format is what the text of a value must be.
type Format string

// The formats. Whether a file is there is the server's business.
const (
	Text     Format = "string"
	Number   Format = "number"
	Boolean  Format = "boolean"
	Filepath Format = "filepath"
)

// Field is an Input with the name of the environment variable or header that it fills.
type Field struct {
	Name string `json:"name"`
	Input
}

// Parse reads a stored schema.
func Parse(doc []byte) ([]Field, error) {
	if len(doc) == 0 {
		return nil, nil
	}
	var fields []Field
	err := json.Unmarshal(doc, &fields)
	return fields, err
}

// Secrets names what a user may store for the fields, in their order: secret fields, and secret variables of fixed
// values.
func Secrets(fields []Field) []string {
	var names []string
	for _, f := range fields {
		for _, a := range f.asked() {
			if a.Secret && !slices.Contains(names, a.Name) {
				names = append(names, a.Name)
			}
		}
	}
	return names
}

// asked is what somebody has to say for the field: its own value, or those of its variables.
func (f Field) asked() []Field {
	if f.Value == "" {
		return []Field{f}
	}
	var asked []Field
	for _, name := range placeholders(f.Value) {
		asked = append(asked, Field{name, f.Variables[name]})
	}
	return asked
}

// Given is what somebody has said for the name of a field or variable; zero: nothing.
type Given func(name string) secret.String

// Fill computes the value of every field that has one. The errors are *MissingError and *UnfitError, which name
// fields and never a value.
func Fill(fields []Field, given Given) (map[string]secret.String, error) {
	values := map[string]secret.String{}
	var missing []string
	for _, f := range fields {
		value, absent, err := f.fill(given)
		if err != nil {
			return nil, err
		}
		for _, name := range absent {
			if !slices.Contains(missing, name) {
				missing = append(missing, name)
			}
		}
		if len(absent) == 0 && !value.IsZero() {
			values[f.Name] = value
		}
	}
	if len(missing) > 0 {
		return nil, &MissingError{missing}
	}
	return values, nil
}

// fill is the field's value, or the names of what is missing for it.
func (f Field) fill(given Given) (value secret.String, missing []string, err error) {
	said := map[string]secret.String{}
	for _, a := range f.asked() {
		v := given(a.Name)
		if v.IsZero() {
			v = secret.New(a.Default)
		}
		// A variable that nobody fills leaves a hole in the fixed text, whether it is required or not.
		if v.IsZero() && (a.Required || f.Value != "") {
			missing = append(missing, a.Name)
		}
		if why := a.Fits(v.Reveal()); !v.IsZero() && why != "" {
			return secret.String{}, nil, &UnfitError{a.Name, why}
		}
		said[a.Name] = v
	}
	switch {
	case len(missing) > 0 && f.Value != "" && !f.Required && noneSaid(said):
		return secret.String{}, nil, nil // an optional field of which nothing is said is left out whole
	case len(missing) > 0:
		return secret.String{}, missing, nil
	case f.Value == "":
		return said[f.Name], nil, nil
	}
	value, err = Expand(f.Value, said)
	return value, nil, err
}

func noneSaid(said map[string]secret.String) bool {
	for _, v := range said {
		if !v.IsZero() {
			return false
		}
	}
	return true
}
