package api

import (
	"encoding/json"
	"strings"

	"steward/internal/tool"
)

const (
	// longestParameter bounds what is said of one parameter, in bytes: inputSchema has the whole.
	longestParameter = 300
	// deepestList is how far lists of lists are looked into.
	deepestList = 3
)

// property is what is read of a parameter's schema. Servers write what they like: what is not as expected counts as
// not said.
type property struct {
	Type        any             `json:"type"`
	Description any             `json:"description"`
	Items       json.RawMessage `json:"items"`
}

// parameters tells a schema's properties in seed 002's form: "string (SQL query)".
func parameters(schema json.RawMessage) map[string]string {
	var s struct {
		Properties map[string]json.RawMessage `json:"properties"`
	}
	out := map[string]string{}
	if json.Unmarshal(schema, &s) != nil {
		return out
	}
	for name, doc := range s.Properties {
		p := readProperty(doc)
		text := p.kind(deepestList)
		if about, _ := p.Description.(string); about != "" {
			text += " (" + tool.Clean(about, longestParameter) + ")"
		}
		out[name] = text
	}
	return out
}

func readProperty(doc json.RawMessage) property {
	var p property
	if json.Unmarshal(doc, &p) != nil { // true and false are schemas too
		return property{}
	}
	return p
}

func (p property) kind(deep int) string {
	var names []string
	switch t := p.Type.(type) {
	case string:
		names = []string{t}
	case []any:
		for _, name := range t {
			if name, ok := name.(string); ok {
				names = append(names, name)
			}
		}
	}
	text := tool.Clean(strings.Join(names, " or "), longestParameter)
	switch {
	case text == "":
		return "any"
	case text == "array" && p.Items != nil && deep > 0:
		return "array of " + readProperty(p.Items).kind(deep-1)
	}
	return text
}
