package tool

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxShown is how much of one result the model is shown, in bytes. The whole is kept.
const MaxShown = 1 << 20

// Clean makes foreign text fit to be stored and shown: valid UTF-8, no NUL (PostgreSQL refuses it), nothing
// that a person who approves would not see and a model or a terminal would obey: control, bidi, zero-width and
// tag characters, escape sequences of terminals, variation selectors in rows. It cuts at limit bytes.
func Clean(s string, limit int) string {
	s, _ = visible(s)
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

// sequence is an escape sequence of a terminal (ECMA-48): colours, titles, links.
var sequence = regexp.MustCompile(`(?:\x1b\[|\x{9b})[0-?]*[ -/]*[@-~]|(?:\x1b[\]PX^_]|\x{9d})[^\x07\x1b\x{9c}\n]*(?:\x07|\x1b\\|\x{9c})?|\x1b[ -/]*[0-~]`)

// visible removes what cannot be seen. Hidden reports that some of it may have been there to hide something:
// a line's carriage return and what joins letters and emoji have not.
func visible(s string) (text string, hidden bool) {
	if !strings.ContainsFunc(s, unseen) && utf8.ValidString(s) {
		return s, false
	}
	if strings.ContainsAny(s, "\x1b\u009b\u009d") {
		s, hidden = sequence.ReplaceAllString(s, ""), true
	}
	var out strings.Builder
	out.Grow(len(s))
	var before rune
	for _, r := range s {
		switch {
		case r == '\u2028' || r == '\u2029':
			r = '\n'
		case selector(r) && selects(before, r):
		case r == utf8.RuneError || unseen(r):
			hidden = hidden || !innocent(before, r)
			continue
		}
		out.WriteRune(r)
		before = r
	}
	return out.String(), hidden
}

// unseen says that a character has no shape, or changes that of others.
func unseen(r rune) bool {
	switch {
	case r == '\n' || r == '\t' || r >= ' ' && r < 0x7f:
		return false
	case unicode.IsControl(r), unicode.Is(unicode.Cf, r), unicode.In(r, unicode.Zl, unicode.Zp), selector(r):
		return true
	}
	return unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r)
}

func selector(r rune) bool { return unicode.Is(unicode.Variation_Selector, r) }

// selects says that a variation selector is where its use is: one of emoji behind a symbol, one of an
// ideograph behind that. In rows they carry bytes that nobody sees.
func selects(before, r rune) bool {
	switch {
	case r == 0xfe0e || r == 0xfe0f:
		return unicode.In(before, unicode.S, unicode.N) || before == '#' || before == '*' || before == '‼' || before == '⁉'
	case r >= 0xe0100:
		return unicode.Is(unicode.Han, before)
	}
	return false
}

// innocent is what text has without anybody's intent.
func innocent(before, r rune) bool {
	switch r {
	case '\r', '\ufeff', '\u00ad', utf8.RuneError:
		return true
	case '\u200c', '\u200d', '\ufe0f':
		return before > 0x2ff
	}
	return false
}
