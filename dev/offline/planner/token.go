package planner

import (
	"regexp"
	"strings"
)

// kind says what a value in the text looks like.
type kind int

const (
	text kind = iota // quoted, and nothing more special
	url
	email
	document // JSON
	date
	path
	number
)

// token is a value that stands in the text, and where.
type token struct {
	kind  kind
	value string
	start int
	end   int
	used  bool
}

const (
	urlForm    = `https?://[^\s"'<>]+`
	emailForm  = `[\w.+-]+@[\w-]+(?:\.[\w-]+)+`
	dateForm   = `\d{4}-\d\d-\d\d(?:T[\d:.]+(?:Z|[+-]\d\d:\d\d)?)?`
	pathForm   = `(?:~|\.{1,2})?/[\w.~/-]*|[\w-][\w.-]*/[\w./-]*|[\w-][\w.-]*\.[A-Za-z]\w{0,4}\b`
	numberForm = `-?\d+(?:\.\d+)?\b`
)

var (
	valueForm = regexp.MustCompile("\"([^\"\n]*)\"|“([^”\n]*)”|`([^`\n]*)`|(?:^|[\\s(])'([^'\n]+)'|(" + urlForm + `)|(` + emailForm +
		`)|(` + dateForm + `)|(` + pathForm + `)|(` + numberForm + `)`)
	kindForms = []struct {
		kind kind
		form *regexp.Regexp
	}{
		{url, regexp.MustCompile(`^` + urlForm + `$`)},
		{email, regexp.MustCompile(`^` + emailForm + `$`)},
		{date, regexp.MustCompile(`^` + dateForm + `$`)},
		{path, regexp.MustCompile(`^(?:` + pathForm + `)$`)},
	}
	groupKinds = []kind{text, text, text, text, url, email, date, path, number}
)

// tokens finds the values of a clause in order. What is quoted keeps its special look: a quoted
// path is a path.
func tokens(clause string) []token {
	var list []token
	rest, offset := clause, 0
	if start, end := jsonSpan(clause); end > 0 {
		list = append(tokens(clause[:start]), token{kind: document, value: clause[start:end], start: start, end: end})
		rest, offset = clause[end:], end
	}
	for _, m := range valueForm.FindAllStringSubmatchIndex(rest, -1) {
		for group, kind := range groupKinds {
			start, end := m[2*group+2], m[2*group+3]
			if start < 0 {
				continue
			}
			value := rest[start:end]
			if kind == text {
				kind = kindOf(value)
			} else {
				value = strings.TrimRight(value, ".,;:)")
			}
			list = append(list, token{kind: kind, value: value, start: offset + m[0], end: offset + m[1]})
		}
	}
	return list
}

func kindOf(value string) kind {
	for _, k := range kindForms {
		if k.form.MatchString(value) {
			return k.kind
		}
	}
	return text
}

// jsonSpan finds the first balanced JSON object or array of a clause; end is 0 when there is none.
func jsonSpan(clause string) (start, end int) {
	start = strings.IndexAny(clause, "{[")
	if start < 0 {
		return 0, 0
	}
	depth, inText := 0, false
	for i := start; i < len(clause); i++ {
		switch c := clause[i]; {
		case inText && c == '\\':
			i++
		case c == '"':
			inText = !inText
		case inText:
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			if depth--; depth == 0 {
				return start, i + 1
			}
		}
	}
	return 0, 0
}
