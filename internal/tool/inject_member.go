package tool

import (
	"encoding/json"
	"fmt"

	"steward/internal/secret"
)

// members is a JSON object whose values stay as they were written until somebody looks into them.
type members map[string]any // json.RawMessage, or members once opened

func membersOf(raw json.RawMessage) (members, error) {
	var plain map[string]json.RawMessage
	if err := json.Unmarshal(raw, &plain); err != nil {
		return nil, fmt.Errorf("read arguments: %w", err)
	}
	m := make(members, len(plain))
	for name, value := range plain {
		m[name] = value
	}
	return m, nil
}

// open returns the object at a path; nil if there is none. With create, missing ones are made.
func (m members) open(path []string, create bool) members {
	for _, name := range path {
		switch value := m[name].(type) {
		case members:
			m = value
		case json.RawMessage:
			inner, err := membersOf(value)
			if err != nil || inner == nil {
				return nil
			}
			m[name] = inner
			m = inner
		default:
			if !create {
				return nil
			}
			inner := members{}
			m[name] = inner
			m = inner
		}
	}
	return m
}

// has says that there is an object at the path.
func (m members) has(path []string) bool { return m.open(path, false) != nil }

// at returns the value at a path.
func (m members) at(path []string) (json.RawMessage, bool) {
	last := len(path) - 1
	around := m.open(path[:last], false)
	value, ok := around[path[last]].(json.RawMessage)
	return value, ok
}

// put sets a parameter; false if the object that it stands in is not there and may not be made.
func (m members) put(p SecretParameter, value json.RawMessage) bool {
	last := len(p.Path) - 1
	around := m.open(p.Path[:last], p.Lone)
	if around == nil {
		return false
	}
	around[p.Path[last]] = value
	return true
}

// take removes the value at a path.
func (m members) take(path []string) {
	last := len(path) - 1
	if around := m.open(path[:last], false); around != nil {
		delete(around, path[last])
	}
}

// encode is the object in canonical form.
func (m members) encode() ([]byte, error) {
	doc, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("encode arguments: %w", err)
	}
	return secret.Canonical(doc)
}
