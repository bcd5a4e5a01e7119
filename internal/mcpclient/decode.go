package mcpclient

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
)

// decode reads a JSON object into a struct as go-sdk does: names of members match exactly. encoding/json alone would
// let "Name" overrule "name", and what is checked here would not be what is read there (CVE-2026-27896).
func decode(raw json.RawMessage, into any) error {
	return decodeObject(raw, reflect.ValueOf(into).Elem())
}

func decodeObject(raw json.RawMessage, into reflect.Value) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil {
		return err
	}
	if members == nil {
		return fmt.Errorf("it is not an object")
	}
	for field, value := range into.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		member, ok := members[name]
		switch {
		case !ok || isNull(member):
		case field.Type.Kind() == reflect.Struct:
			if err := decodeObject(member, value); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		default:
			if err := json.Unmarshal(member, value.Addr().Interface()); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	return nil
}

func isNull(raw json.RawMessage) bool { return len(raw) == 0 || string(raw) == "null" }

// repeats reports whether an object anywhere in doc, which is valid JSON, has a member twice: two readers could take
// different ones (T-39).
func repeats(doc []byte) bool {
	var open []map[string]struct{} // the objects and, as nil, the lists around i
	name := false                  // the next string is a member's name
	for i := 0; i < len(doc); i++ {
		switch doc[i] {
		case '{':
			open, name = append(open, map[string]struct{}{}), true
		case '[':
			open, name = append(open, nil), false
		case '}', ']':
			open, name = open[:max(len(open)-1, 0)], false
		case ',':
			name = len(open) > 0 && open[len(open)-1] != nil
		case '"':
			end := closing(doc, i)
			if name {
				key := unquoted(doc[i:end])
				if _, twice := open[len(open)-1][key]; twice {
					return true
				}
				open[len(open)-1][key] = struct{}{}
			}
			i, name = end-1, false
		}
	}
	return false
}

// closing is the index after the string that begins at i.
func closing(doc []byte, i int) int {
	for i++; i < len(doc); i++ {
		switch doc[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(doc)
}

func unquoted(quoted []byte) string {
	var s string
	if json.Unmarshal(quoted, &s) != nil {
		return string(quoted)
	}
	return s
}
