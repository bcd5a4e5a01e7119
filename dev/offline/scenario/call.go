package scenario

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"steward/dev/offline/dialog"
)

const defaultCap = 25

// Arg is an argument: a template when it is written as text, else the value itself.
type Arg struct {
	text    *Template
	literal any
}

// UnmarshalYAML tells templates from values.
func (a *Arg) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.ScalarNode && node.Tag == "!!str" {
		a.text = &Template{}
		return node.Decode(a.text)
	}
	return node.Decode(&a.literal)
}

// calls renders the calls of a step, none when its condition is not met or its list is empty.
func (s *scope) calls(step *Step) ([]dialog.Call, error) {
	tool, offered := s.tools[step.Call]
	if !offered {
		return nil, nil
	}
	s.Item = nil
	if met, err := step.When.met(s); err != nil || !met {
		return nil, err
	}
	items, err := s.items(step)
	if err != nil {
		return nil, err
	}
	schema := tool.Schema()
	var calls []dialog.Call
	for _, s.Item = range items {
		arguments, err := s.arguments(step.Args, schema)
		if err != nil {
			return nil, err
		}
		calls = append(calls, dialog.Call{Name: tool.Name, Arguments: arguments})
	}
	return calls, nil
}

// items are those of the list of a step, or a single nothing for a step that makes one call.
func (s *scope) items(step *Step) ([]any, error) {
	if step.Each == "" {
		return []any{nil}, nil
	}
	most := step.Cap
	if most == 0 {
		most = defaultCap
	}
	var items []any
	for _, s.Item = range s.List(step.Each) {
		if step.Except != nil {
			met, err := step.Except.met(s)
			if err != nil {
				return nil, err
			}
			if met {
				continue
			}
		}
		if items = append(items, s.Item); len(items) == most {
			break
		}
	}
	return items, nil
}

// arguments renders what the tool declares; what renders to nothing is left out.
func (s *scope) arguments(args map[string]Arg, schema *dialog.Schema) (string, error) {
	values := map[string]any{}
	for name, arg := range args {
		if _, declared := schema.Properties[name]; !declared && schema.Properties != nil {
			continue
		}
		if arg.text == nil {
			values[name] = arg.literal
			continue
		}
		text, err := arg.text.render(s)
		if err != nil {
			return "", err
		}
		if text != "" {
			values[name] = coerce(text, schema.Property(name))
		}
	}
	for _, name := range schema.Required {
		if _, ok := values[name]; !ok {
			return "", fmt.Errorf("no value for %s", name)
		}
	}
	return dialog.Arguments(values)
}

// coerce turns rendered text into the type that the schema asks for, if it can.
func coerce(text string, schema *dialog.Schema) any {
	switch schema.Type {
	case "integer", "number":
		if _, err := strconv.ParseFloat(text, 64); err == nil && json.Valid([]byte(text)) {
			return json.Number(text)
		}
	case "boolean":
		if flag, err := strconv.ParseBool(text); err == nil {
			return flag
		}
	case "array":
		return strings.Split(text, "\n")
	}
	return text
}

// record keeps the results of a step; ok is false when every call failed. A step over a list keeps
// the list of its results, any other step its only result.
func (s *scope) record(step *Step, answered []dialog.Call) (ok bool) {
	var values []any
	for _, call := range answered {
		result := call.Result()
		s.results = append(s.results, used{step: step.As, tool: call.Name, result: result})
		switch {
		case result.Failed:
		case result.Value != nil:
			values = append(values, result.Value)
		default:
			values = append(values, result.Text)
		}
	}
	if len(values) == 0 {
		return false
	}
	if step.Each != "" {
		s.values[step.As] = slices.Clip(values)
	} else {
		s.values[step.As] = values[0]
	}
	return true
}
