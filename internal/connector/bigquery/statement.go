package bigquery

import (
	"errors"
	"slices"
	"strings"
)

// errNotOne and errNotAQuery are what a model should do better.
var (
	errNotOne    = errors.New("query: one statement at a time")
	errNotAQuery = errors.New("query: only SELECT statements are run, which may begin with WITH")
)

// check reads a query as far as it takes to tell that it is one statement that only reads. It is the first of two
// walls: BigQuery says by itself what type a statement is.
func check(query string) error {
	first, rest, err := opening(query)
	switch {
	case err != nil:
		return err
	case !slices.Contains([]string{"SELECT", "WITH", "FROM"}, first):
		return errNotAQuery
	}
	for rest != "" {
		n, token := next(rest)
		rest = rest[n:]
		if token == ';' {
			return end(rest)
		}
	}
	return nil
}

// opening is the first word, before which parentheses may stand.
func opening(query string) (word, rest string, err error) {
	for rest = query; rest != ""; {
		n, token := next(rest)
		switch token {
		case ' ', '(':
			rest = rest[n:]
		case 'a':
			return strings.ToUpper(rest[:n]), rest[n:], nil
		default:
			return "", "", errNotAQuery
		}
	}
	return "", "", errNotAQuery
}

// end wants nothing after the semicolon.
func end(rest string) error {
	for rest != "" {
		n, token := next(rest)
		if token != ' ' && token != ';' {
			return errNotOne
		}
		rest = rest[n:]
	}
	return nil
}

// next is the length of the token with which text begins, and what it is: a space or a comment ' ', a word 'a', a
// literal or a quoted name '"', or the character itself (GoogleSQL, lexical structure). What does not end goes on to
// the end of the text.
func next(text string) (int, byte) {
	switch c := text[0]; {
	case strings.HasPrefix(text, "--"), c == '#':
		return until(text, 1, "\n"), ' '
	case strings.HasPrefix(text, "/*"):
		return until(text, 2, "*/"), ' '
	case strings.IndexByte(" \t\r\n\f\v", c) >= 0:
		return 1, ' '
	case strings.HasPrefix(text, `"""`), strings.HasPrefix(text, "'''"):
		return quoted(text, text[:3]), '"'
	case c == '"', c == '\'', c == '`':
		return quoted(text, text[:1]), '"'
	case isWord(c):
		n := 1
		for n < len(text) && isWord(text[n]) {
			n++
		}
		return n, 'a'
	default:
		return 1, c
	}
}

func isWord(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

func until(text string, from int, mark string) int {
	at := strings.Index(text[from:], mark)
	if at < 0 {
		return len(text)
	}
	return from + at + len(mark)
}

// quoted ends at the mark that a backslash does not stand before. In raw strings too, a backslash keeps a quote from
// ending them.
func quoted(text, mark string) int {
	for i := len(mark); i < len(text); i++ {
		switch {
		case text[i] == '\\':
			i++
		case strings.HasPrefix(text[i:], mark):
			return i + len(mark)
		}
	}
	return len(text)
}
