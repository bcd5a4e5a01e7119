package secret

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

// cut says how much of a value a preview keeps.
type cut struct{ runes, items int }

// cuts are tried in order until the preview fits; the first is what people see of ordinary arguments.
var cuts = []cut{{200, 50}, {80, 20}, {40, 8}, {20, 4}, {10, 2}}

// Preview makes a short, redacted picture of a JSON value for audit rows and approvals: members with
// secret names are hidden whole, strings longer than 200 characters and arrays longer than 50 elements
// are cut with a note of what is missing. The result is valid JSON of at most limit bytes, except that a
// limit under 64 counts as 64; a value that cannot be cut so small becomes a note of its size.
func (r *Redactor) Preview(raw json.RawMessage, limit int) json.RawMessage {
	limit = max(limit, 64)
	in := json.NewDecoder(bytes.NewReader(raw))
	in.UseNumber()
	var value any
	if err := in.Decode(&value); err != nil || in.More() {
		value = string(raw)
	}
	for _, c := range cuts {
		out, err := json.Marshal(r.shorten(value, c, 0))
		if err == nil && len(out) <= limit {
			return out
		}
	}
	note, _ := json.Marshal(fmt.Sprintf("[%d bytes, too large to preview]", len(raw)))
	return note
}

func (r *Redactor) shorten(value any, c cut, depth int) any {
	if depth > 20 {
		return "[nested too deeply to preview]"
	}
	switch v := value.(type) {
	case string:
		return shortenText(r.Text(v), c.runes)
	case json.Number:
		if text := r.Text(v.String()); text != v.String() || len(text) > c.runes {
			return shortenText(text, c.runes)
		}
		return v
	case []any:
		out := make([]any, 0, min(len(v), c.items+1))
		for _, item := range v[:min(len(v), c.items)] {
			out = append(out, r.shorten(item, c, depth+1))
		}
		if more := len(v) - c.items; more > 0 {
			out = append(out, fmt.Sprintf("[%d more]", more))
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, item := range v {
			label := shortenText(r.Text(name), c.runes)
			if item != nil && Named(name) {
				out[label] = Redacted
			} else {
				out[label] = r.shorten(item, c, depth+1)
			}
		}
		return out
	default:
		return v
	}
}

func shortenText(s string, runes int) string {
	total := utf8.RuneCountInString(s)
	if total <= runes {
		return s
	}
	kept := 0
	for i := range s {
		if kept == runes {
			return fmt.Sprintf("%s… [%d more characters]", s[:i], total-runes)
		}
		kept++
	}
	return s
}
