package scenario

import (
	"fmt"
	"strings"
	"text/template"

	"go.yaml.in/yaml/v3"
)

// Template is a text/template whose dot is the scope.
type Template struct{ parsed *template.Template }

// UnmarshalYAML parses the template, so mistakes show when scenarios are loaded.
func (t *Template) UnmarshalYAML(node *yaml.Node) (err error) {
	t.parsed, err = template.New("").Option("missingkey=zero").Funcs(functions).Parse(node.Value)
	return err
}

func (t Template) render(s *scope) (string, error) {
	var text strings.Builder
	if err := t.parsed.Execute(&text, s); err != nil {
		return "", fmt.Errorf("render template: %w", err)
	}
	return strings.TrimSpace(text.String()), nil
}

// functions are the words that need no scope.
var functions = template.FuncMap{
	"clip":   Clip,
	"day":    dayOf,
	"due":    due,
	"ident":  ident,
	"join":   join,
	"lines":  countLines,
	"minute": minuteOf,
	"pick":   pick,
	"sort":   sortBy,
	"sums":   sums,
	"tally":  tally,
	"total":  total,
	"words":  countWords,
}

// met reports whether a condition rendered to something other than nothing or "false".
func (t *Template) met(s *scope) (bool, error) {
	if t == nil {
		return true, nil
	}
	text, err := t.render(s)
	return text != "" && text != "false", err
}
