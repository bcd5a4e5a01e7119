package tool

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxShown is how much of one result the model is shown, in bytes. The whole is kept.
const MaxShown = 1 << 20

// Clean makes foreign text fit to be stored and shown: valid UTF-8, no NUL (PostgreSQL refuses it), no
// control, bidi or zero-width characters, which can hide text from the person who approves. It cuts at
// limit bytes.
func Clean(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), r == utf8.RuneError:
			return -1
		}
		return r
	}, s)
	return cut(s, limit)
}

// cut shortens s to at most limit bytes on a rune's edge.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit]
}

// envelope marks a tool's result as data for the model: source, size, and a note where it was cut.
func envelope(label, id, body string) string {
	shown := cut(body, MaxShown)
	note := ""
	if len(shown) < len(body) {
		note = fmt.Sprintf("\n[cut: %d of %d bytes shown]", len(shown), len(body))
	}
	return fmt.Sprintf("<tool-result source=%q id=%q bytes=\"%d\">\n%s%s\n</tool-result>", label, id, len(body), shown, note)
}
