package secret

import (
	"bytes"
	"encoding/json"
)

// Redacted stands where a secret stood.
const Redacted = "[redacted]"

// Redactor takes secrets out of text that leaves us: the values it was built with, and, unless it is
// Exact, whatever looks like a credential or stands behind a name such as password. It is immutable and
// safe for concurrent use. It reads its input once; the zero value knows patterns only.
//
// It is the last net, not the first: a value that a server has cut in two or encrypted passes.
type Redactor struct {
	values *matcher
	exact  bool
}

// NewRedactor knows each value also in base64, hex, URL and JSON escapes, and line by line. Values
// shorter than 4 bytes are left alone: they would take ordinary words with them.
func NewRedactor(values ...String) *Redactor { return &Redactor{values: newMatcher(values)} }

// Exact returns a redactor of the same values that does not guess. It is for results that the model
// needs whole: an e-mail may rightly speak of a password.
func (r *Redactor) Exact() *Redactor { return &Redactor{values: r.values, exact: true} }

// Text returns s with every secret replaced by Redacted.
func (r *Redactor) Text(s string) string {
	out, changed := r.scrub([]byte(s))
	if !changed {
		return s
	}
	return string(out)
}

// JSON does the same to the strings and numbers of one JSON value and leaves the rest byte for byte.
// Members with secret names lose their scalar value. The result is always valid JSON: what was not
// comes back as one JSON string.
func (r *Redactor) JSON(raw []byte) []byte {
	if !json.Valid(raw) {
		text, _ := r.scrub(bytes.ToValidUTF8(raw, []byte("\uFFFD")))
		return appendString(nil, string(text))
	}
	out := make([]byte, 0, len(raw))
	hide := false // the member's name just read says that its value is secret
	for i := 0; i < len(raw); {
		end := tokenEnd(raw, i)
		token := raw[i:end]
		switch b := token[0]; {
		case b == '"' && isMemberName(raw[end:]):
			out = r.appendScalar(out, token, false)
			hide = !r.exact && secretName(token[1:len(token)-1])
		case b == '"' || b == '-' || isDigit(b):
			out = r.appendScalar(out, token, hide && string(token) != `""`)
			hide = false
		default:
			out = append(out, token...)
			hide = hide && (b == ':' || isSpace(b))
		}
		i = end
	}
	return out
}

func (r *Redactor) appendScalar(dst, token []byte, hide bool) []byte {
	if hide {
		return appendString(dst, Redacted)
	}
	text, escaped := token, false
	if token[0] == '"' {
		text = token[1 : len(token)-1]
		escaped = bytes.IndexByte(text, '\\') >= 0
	}
	if escaped {
		var plain string
		// It cannot fail: the token is part of valid JSON.
		_ = json.Unmarshal(token, &plain)
		text = []byte(plain)
	}
	clean, changed := r.scrub(text)
	if !changed {
		return append(dst, token...)
	}
	return appendString(dst, string(bytes.ToValidUTF8(clean, []byte("\uFFFD"))))
}

// scrub is the one pass. It returns src itself when there is nothing to hide.
func (r *Redactor) scrub(src []byte) (out []byte, changed bool) {
	done := 0
	for i := 0; i < len(src); {
		from, to := i, i+r.values.at(src, i)
		if to == i && !r.exact {
			from, to = credentialAt(src, i)
		}
		if to <= i {
			i++
			continue
		}
		out = append(append(out, src[done:from]...), Redacted...)
		i, done = to, to
	}
	if done == 0 {
		return src, false
	}
	return append(out, src[done:]...), true
}

// tokenEnd returns where the token of valid JSON that begins at i ends. Punctuation, white space and the
// letters of literals are tokens of one byte.
func tokenEnd(raw []byte, i int) int {
	switch b := raw[i]; {
	case b == '"':
		for i++; raw[i] != '"'; i++ {
			if raw[i] == '\\' {
				i++
			}
		}
		return i + 1
	case b == '-' || isDigit(b):
		return run(raw, i, func(b byte) bool { return isDigit(b) || bytes.IndexByte([]byte("+-.eE"), b) >= 0 })
	default:
		return i + 1
	}
}

func isMemberName(rest []byte) bool {
	rest = bytes.TrimLeft(rest, " \t\r\n")
	return len(rest) > 0 && rest[0] == ':'
}

func isSpace(b byte) bool { return b == ' ' || b == '\t' || b == '\n' || b == '\r' }
