package redis

import (
	"encoding/base64"
	"unicode/utf8"

	"steward/internal/connector/database"
)

// binary is what is no text. Redis has no types that say so beforehand, and base64 by itself could be somebody's text.
type binary struct {
	Base64 string `json:"base64"`
}

// rows mark what is no text.
type rows struct{ *database.Rows }

// Add is that of database.Rows.
func (r rows) Add(values []any) (bool, error) {
	out := make([]any, 0, len(values))
	for _, value := range values {
		out = append(out, marked(value))
	}
	return r.Rows.Add(out)
}

// marked is a reply as JSON can say it.
func marked(value any) any {
	if s, ok := value.(string); ok && !utf8.ValidString(s) {
		return binary{base64.StdEncoding.EncodeToString([]byte(s))}
	}
	values, ok := value.([]any)
	if !ok {
		return value
	}
	out := make([]any, 0, len(values))
	for _, v := range values {
		out = append(out, marked(v))
	}
	return out
}

// named is a name where JSON wants a string.
func named(name string) string {
	if utf8.ValidString(name) {
		return name
	}
	return "base64:" + base64.StdEncoding.EncodeToString([]byte(name))
}
