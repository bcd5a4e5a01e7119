package statement

import (
	"errors"
	"strings"
	"unicode/utf8"
)

// kind is the kind of a token.
type kind int

const (
	word   kind = iota // a keyword or a name without quotes, in lower case
	quoted             // a name in double quotes, without them
	text               // a constant in quotes of any form; what it says is left out
	number             // digits; what a number has besides comes as further tokens
	symbol             // one character
)

type token struct {
	kind kind
	text string
}

func (t token) is(words ...string) bool {
	if t.kind != word {
		return false
	}
	for _, w := range words {
		if t.text == w {
			return true
		}
	}
	return false
}

// isName says whether it is a name or may be one: the empty word is none.
func (t token) isName() bool { return (t.kind == word || t.kind == quoted) && t.text != "" }

func (t token) isSymbol(s string) bool { return t.kind == symbol && t.text == s }

// scanner takes SQL apart as PostgreSQL's own does (PostgreSQL documentation §4.1) while standard_conforming_strings
// is on, which every session of ours sets. Where it is not sure it refuses.
type scanner struct {
	sql string
	at  int
}

// scan returns the tokens of sql. Comments and white space are no tokens.
func scan(sql string) ([]token, error) {
	if strings.ContainsRune(sql, 0) || !utf8.ValidString(sql) {
		return nil, errors.New("the statement holds characters that are not allowed")
	}
	s := &scanner{sql: sql}
	var out []token
	for {
		if err := s.skip(); err != nil {
			return nil, err
		}
		if s.at == len(s.sql) {
			return out, nil
		}
		t, err := s.next()
		if err != nil {
			return nil, err
		}
		out = append(out, t)
	}
}

func (s *scanner) ahead(prefix string) bool { return strings.HasPrefix(s.sql[s.at:], prefix) }

// skip passes over white space and comments; those in /* */ may hold further ones.
func (s *scanner) skip() error {
	for s.at < len(s.sql) {
		switch {
		case strings.IndexByte(" \t\n\r\f\v", s.sql[s.at]) >= 0:
			s.at++
		case s.ahead("--"):
			end := strings.IndexAny(s.sql[s.at:], "\n\r")
			if end < 0 {
				end = len(s.sql) - s.at
			}
			s.at += end
		case s.ahead("/*"):
			if err := s.skipBlock(); err != nil {
				return err
			}
		default:
			return nil
		}
	}
	return nil
}

func (s *scanner) skipBlock() error {
	depth := 0
	for s.at < len(s.sql) {
		switch {
		case s.ahead("/*"):
			depth++
			s.at += 2
		case s.ahead("*/"):
			depth--
			s.at += 2
		default:
			s.at++
		}
		if depth == 0 {
			return nil
		}
	}
	return errors.New("a comment does not end")
}

func (s *scanner) next() (token, error) {
	c := s.sql[s.at]
	switch {
	case c == '\'':
		return s.constant(false)
	case c == '"':
		return s.quotedName()
	case c == '$':
		return s.dollar()
	case isDigit(c):
		return token{number, s.while(isDigit)}, nil
	case isNameStart(c):
		return s.word()
	default:
		s.at++
		return token{symbol, string(c)}, nil
	}
}

// word is a name or keyword, or a constant with a letter before its quote: E” knows backslashes, B”, N” and X” are
// like others, U& is refused: what is escaped in it could be any name.
func (s *scanner) word() (token, error) {
	name := strings.ToLower(s.while(func(c byte) bool { return isNameStart(c) || isDigit(c) || c == '$' }))
	switch {
	case s.ahead("'") && name == "e":
		return s.constant(true)
	case name == "u" && (s.ahead("&'") || s.ahead(`&"`)):
		return token{}, errors.New("names and constants with U& are not accepted: write the characters themselves")
	}
	return token{word, name}, nil
}

// constant is one in single quotes, which may be doubled in it.
func (s *scanner) constant(backslashes bool) (token, error) {
	for s.at++; s.at < len(s.sql); s.at++ {
		switch c := s.sql[s.at]; {
		case c == '\\' && backslashes:
			s.at++
		case c == '\'' && s.ahead("''"):
			s.at++
		case c == '\'':
			s.at++
			return token{kind: text}, nil
		}
	}
	return token{}, errors.New("a constant in quotes does not end")
}

func (s *scanner) quotedName() (token, error) {
	began := s.at + 1
	for s.at++; s.at < len(s.sql); s.at++ {
		switch {
		case s.ahead(`""`):
			s.at++
		case s.sql[s.at] == '"':
			s.at++
			return token{quoted, strings.ReplaceAll(s.sql[began:s.at-1], `""`, `"`)}, nil
		}
	}
	return token{}, errors.New("a name in quotes does not end")
}

// dollar is a parameter, or a constant such as $$…$$ or $name$…$name$.
func (s *scanner) dollar() (token, error) {
	began := s.at
	s.at++
	if tag := s.while(func(c byte) bool { return isNameStart(c) || isDigit(c) }); tag != "" && isDigit(tag[0]) {
		s.at = began + 1 // a parameter: its digits, and nothing that follows them
		return token{symbol, "$" + s.while(isDigit)}, nil
	}
	if !s.ahead("$") {
		s.at = began + 1
		return token{symbol, "$"}, nil
	}
	s.at++
	mark := s.sql[began:s.at]
	end := strings.Index(s.sql[s.at:], mark)
	if end < 0 {
		return token{}, errors.New("a constant in dollar quotes does not end")
	}
	s.at += end + len(mark)
	return token{kind: text}, nil
}

func (s *scanner) while(ok func(byte) bool) string {
	began := s.at
	for s.at < len(s.sql) && ok(s.sql[s.at]) {
		s.at++
	}
	return s.sql[began:s.at]
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isNameStart(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c >= 0x80
}
