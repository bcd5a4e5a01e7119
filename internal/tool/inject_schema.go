package tool

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// SecretParameter is a parameter that takes a secret. Nobody is shown it: the owner's own value is put in at the
// moment at which the call is sent.
type SecretParameter struct {
	Path     []string `json:"path"`               // of names, from the arguments inwards
	Required bool     `json:"required,omitempty"` // by the object that it stands in
	Lone     bool     `json:"lone,omitempty"`     // the objects around it need nothing else, and are made where they are missing
	Token    bool     `json:"token,omitempty"`    // takes the owner's access token, by convention (inject_token.go)
	Object   bool     `json:"object,omitempty"`   // with what belongs to it, as an object
}

// String is the path with dots, for people.
func (p SecretParameter) String() string { return strings.Join(p.Path, ".") }

// Conceal takes what is declared secret out of a tool's input schema: "x-secret": true, "writeOnly": true or
// "format": "password", in the arguments and in objects inside them. With tokens, parameters that by convention take
// the caller's access token go as well. What it returns as shown is for the model, for people and for the check of what
// they wrote. A schema without such parameters stays as it is, byte for byte.
func Conceal(schema json.RawMessage, tokens bool) (shown json.RawMessage, secrets []SecretParameter, err error) {
	var root map[string]any
	d := json.NewDecoder(bytes.NewReader(schema))
	d.UseNumber()
	if d.Decode(&root) != nil {
		return schema, nil, nil //nolint:nilerr // no object, no parameters; what else is wrong shows when it is compiled
	}
	w := &concealer{root: root, tokens: tokens, found: map[string]SecretParameter{}}
	w.walk(root, nil)
	if len(w.found) == 0 {
		return schema, nil, nil
	}
	secrets = w.remove()
	if shown, err = json.Marshal(root); err != nil {
		return nil, nil, fmt.Errorf("encode input schema: %w", err)
	}
	return shown, secrets, nil
}

// Bounds of the search: a foreign schema may refer to itself.
const (
	maxSecretDepth = 8
	maxSecretSteps = 10_000
)

type concealer struct {
	root   map[string]any
	tokens bool
	steps  int
	seen   []place
	found  map[string]SecretParameter // by pathKey
}

// place is a subschema for the object at a path. Several may apply to one.
type place struct {
	path   []string
	schema map[string]any
}

func pathKey(path []string) string { return strings.Join(path, "\x00") }

// walk looks at what applies to the value at path.
func (w *concealer) walk(schema map[string]any, path []string) {
	if w.steps++; w.steps > maxSecretSteps || len(path) > maxSecretDepth {
		return
	}
	w.seen = append(w.seen, place{path, schema})
	for _, branch := range w.branches(schema) {
		w.walk(branch, path)
	}
	properties, _ := schema["properties"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		property, ok := properties[name].(map[string]any)
		if !ok {
			continue
		}
		at := append(slices.Clone(path), name)
		convention, object := conventional(name)
		switch {
		case w.tokens && len(path) == 0 && convention && w.takes(property, object):
			w.found[pathKey(at)] = SecretParameter{Path: at, Token: true, Object: w.admits(property, "object", object)}
		case w.declared(property, 0):
			w.found[pathKey(at)] = SecretParameter{Path: at}
		default:
			w.walk(property, at)
		}
	}
}

// branches are the subschemas that apply to the same value: one that is referred to, alternatives, parts.
func (w *concealer) branches(schema map[string]any) (all []map[string]any) {
	if ref, ok := schema["$ref"].(string); ok {
		if target := w.target(ref); target != nil {
			all = append(all, target)
		}
	}
	for _, keyword := range []string{"allOf", "anyOf", "oneOf"} {
		list, _ := schema[keyword].([]any)
		for _, item := range list {
			if branch, ok := item.(map[string]any); ok {
				all = append(all, branch)
			}
		}
	}
	return all
}

// target follows a JSON Pointer inside the document (RFC 6901); nil if it leads nowhere.
func (w *concealer) target(ref string) map[string]any {
	pointer, ok := strings.CutPrefix(ref, "#/")
	if !ok {
		return nil
	}
	at := w.root
	for part := range strings.SplitSeq(pointer, "/") {
		part = strings.NewReplacer("~1", "/", "~0", "~").Replace(part)
		if at, ok = at[part].(map[string]any); !ok {
			return nil
		}
	}
	return at
}

// declared says that a value is secret by the schema's own word, also where only one alternative says so: an optional
// secret of many generators is "anyOf": [{"format": "password"}, {"type": "null"}].
func (w *concealer) declared(schema map[string]any, depth int) bool {
	if schema["x-secret"] == true || schema["writeOnly"] == true || schema["format"] == "password" {
		return true
	}
	return depth < maxSecretDepth && slices.ContainsFunc(w.branches(schema), func(b map[string]any) bool { return w.declared(b, depth+1) })
}

// admits says that a value of the type fits; otherwise is the answer where the schema names no type.
func (w *concealer) admits(schema map[string]any, kind string, otherwise bool) bool {
	switch named := schema["type"].(type) {
	case string:
		return named == kind
	case []any:
		return slices.Contains(named, any(kind))
	}
	branches := w.branches(schema)
	if len(branches) == 0 || w.steps > maxSecretSteps {
		return otherwise
	}
	w.steps++
	return slices.ContainsFunc(branches, func(b map[string]any) bool { return w.admits(b, kind, otherwise) })
}

// takes says that a parameter of a conventional name can take what belongs there.
func (w *concealer) takes(schema map[string]any, object bool) bool {
	return w.admits(schema, "string", !object) || w.admits(schema, "object", object)
}

// remove takes what was found out of every subschema that applies there.
func (w *concealer) remove() []SecretParameter {
	secrets := make([]SecretParameter, 0, len(w.found))
	for _, key := range slices.Sorted(maps.Keys(w.found)) {
		p := w.found[key]
		around, name := p.Path[:len(p.Path)-1], p.Path[len(p.Path)-1]
		for _, at := range w.seen {
			if slices.Equal(at.path, around) {
				p.Required = at.drop(name) || p.Required
			}
		}
		secrets = append(secrets, p)
	}
	for i := range secrets {
		secrets[i].Lone = w.lone(secrets[i].Path)
	}
	return secrets
}

// drop removes a property and reports whether it was required.
func (p place) drop(name string) (required bool) {
	if properties, ok := p.schema["properties"].(map[string]any); ok {
		delete(properties, name)
	}
	list, _ := p.schema["required"].([]any)
	rest := slices.DeleteFunc(slices.Clone(list), func(item any) bool { return item == any(name) })
	switch {
	case len(rest) == len(list):
		return false
	case len(rest) == 0:
		delete(p.schema, "required")
	default:
		p.schema["required"] = rest
	}
	return true
}

// lone says that the objects around a path, but for the arguments themselves, require nothing that is shown.
func (w *concealer) lone(path []string) bool {
	return !slices.ContainsFunc(w.seen, func(at place) bool {
		n := len(at.path)
		return n > 0 && n < len(path) && slices.Equal(at.path, path[:n]) && at.schema["required"] != nil
	})
}
