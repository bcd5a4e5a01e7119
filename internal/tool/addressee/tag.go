package addressee

import (
	"regexp"
	"strings"
)

var (
	opening   = regexp.MustCompile(`<[A-Za-z/!?]`)
	plainTag  = regexp.MustCompile(`^</?[A-Za-z][A-Za-z0-9]*\s*/?>`)
	autolink  = regexp.MustCompile(`^<([A-Za-z][A-Za-z0-9+.-]*:[^\s<>]*)>`)
	mailLink  = regexp.MustCompile(`^<[^\s<>@:/"'=]+@[^\s<>@:/"'=]+>`)
	anyTag    = regexp.MustCompile(`^<[A-Za-z/!?](?:"[^"]*"|'[^']*'|[^"'<>])*>`)
	simpleTag = regexp.MustCompile(`^(?i)<(?:a|img)(?:\s+(?:href|src|alt|title|width|height)="[^"<>]*")+\s*/?>$`)
	link      = regexp.MustCompile(`(?i)\s(?:href|src)="([^"<>]*)"`)
)

// tags takes away every HTML tag that has attributes, but for links and pictures in their simplest form that
// lead to known places.
func (n inert) tags(text string) string {
	var out strings.Builder
	for {
		at := opening.FindStringIndex(text)
		if at == nil {
			out.WriteString(text)
			return out.String()
		}
		out.WriteString(text[:at[0]])
		text = text[at[0]:]
		kept, length := n.tag(text)
		out.WriteString(kept)
		text = text[length:]
	}
}

// tag says what becomes of the tag that text begins with, and how long it was.
func (n inert) tag(text string) (kept string, length int) {
	if m := plainTag.FindString(text); m != "" {
		return m, len(m)
	}
	if m := mailLink.FindString(text); m != "" {
		return m, len(m)
	}
	if m := autolink.FindStringSubmatch(text); m != nil {
		if words, ok := n.safe(m[1]); !ok {
			return words, len(m[0])
		}
		return m[0], len(m[0])
	}
	m := anyTag.FindString(text)
	if m == "" {
		return "< ", 1 // no tag yet, and it must not become one with what follows
	}
	words, ok := " ", simpleTag.MatchString(m)
	for _, to := range link.FindAllStringSubmatch(m, -1) {
		if where, safe := n.safe(to[1]); !safe {
			words, ok = where, false
		}
	}
	if ok {
		return m, len(m)
	}
	return words, len(m)
}
