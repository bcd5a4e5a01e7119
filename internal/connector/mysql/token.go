package mysql

import (
	"strings"
	"unicode/utf8"
)

// kind is what a token is.
type kind int

const (
	word   kind = iota // a keyword or a name
	name               // a name in backticks
	text               // a string
	number             //
	sign               // one character of anything else
)

// token is one piece of a statement; of names and words the text is in small letters.
type token struct {
	kind kind
	text string
}

// refusal is why a statement is not sent. It says nothing that the statement does not hold.
type refusal string

func (r refusal) Error() string { return string(r) }

// tokens takes a statement apart as the server does under the sql_mode of our sessions: "a" is a string, and a
// backslash escapes. What servers read in different ways, or only one of them reads at all, is refused rather than
// guessed at: each has been the way around some filter.
func tokens(statement string) ([]token, error) {
	if !utf8.ValidString(statement) || strings.Contains(statement, "\x00") {
		return nil, refusal("the statement is not text in UTF-8")
	}
	l := lexer{rest: statement}
	for l.skip() {
		if err := l.next(); err != nil {
			return nil, err
		}
	}
	return l.out, l.err
}

type lexer struct {
	rest string
	out  []token
	err  error
}

// skip passes over white space and comments; false at the end.
func (l *lexer) skip() bool {
	for {
		l.rest = strings.TrimLeft(l.rest, " \t\r\n")
		switch {
		case l.rest == "":
			return false
		case l.rest[0] == '#', isDashes(l.rest):
			_, l.rest, _ = strings.Cut(l.rest, "\n")
		case strings.HasPrefix(l.rest, "/*"):
			if l.err = l.comment(); l.err != nil {
				return false
			}
		default:
			return true
		}
	}
}

// isDashes knows the comment that needs white space behind it; without, it is a subtraction of a negative.
func isDashes(s string) bool {
	return strings.HasPrefix(s, "--") && (len(s) == 2 || strings.ContainsRune(" \t\r\n", rune(s[2])))
}

// comment passes over one that is nothing else: /*! and /*M! are run, /*+ changes settings.
func (l *lexer) comment() error {
	body := l.rest[2:]
	for _, special := range []string{"!", "M!", "m!", "+"} {
		if strings.HasPrefix(body, special) {
			return refusal("comments that the database would run or obey are not allowed")
		}
	}
	_, rest, ended := strings.Cut(body, "*/")
	if !ended {
		return refusal("a comment does not end")
	}
	l.rest = rest
	return nil
}

func (l *lexer) next() error {
	switch c := l.rest[0]; {
	case c == '\'' || c == '"':
		return l.quoted(c, text)
	case c == '`':
		return l.quoted(c, name)
	case isDigit(c), c == '.' && len(l.rest) > 1 && isDigit(l.rest[1]):
		return l.number()
	case c < ' ' || c == 0x7f, c == '\\', c == '$':
		// Control characters are white space to one server and none to another; \N is a NULL of old; $$ begins a
		// string for MySQL 9 alone.
		return refusal("the statement holds a character that is not allowed outside of a text")
	case isWord(c):
		n := span(l.rest, isWord)
		l.take(word, strings.ToLower(l.rest[:n]), n)
		return nil
	default:
		l.take(sign, l.rest[:1], 1)
		return nil
	}
}

// quoted takes a string or a quoted name, in which two quotes stand for one. Only strings know the backslash.
func (l *lexer) quoted(quote byte, k kind) error {
	var b strings.Builder
	for i := 1; i < len(l.rest); i++ {
		c := l.rest[i]
		switch {
		case c == '\\' && k == text:
			if i++; i == len(l.rest) {
				return refusal("a text does not end")
			}
			b.WriteByte(l.rest[i]) // what it stands for is of no interest here
		case c == quote && i+1 < len(l.rest) && l.rest[i+1] == quote:
			i++
			b.WriteByte(quote)
		case c == quote:
			content := b.String()
			if k == name {
				content = strings.ToLower(content)
			}
			l.take(k, content, i+1)
			return nil
		default:
			b.WriteByte(c)
		}
	}
	return refusal("a text or a name in quotes does not end")
}

// number takes one. A letter must not follow: 1e0union is a number and a keyword to the server.
func (l *lexer) number() error {
	s := l.rest
	var n int
	switch {
	case strings.HasPrefix(s, "0x"):
		n = 2 + span(s[2:], isHex)
	case strings.HasPrefix(s, "0b"):
		n = 2 + span(s[2:], func(c byte) bool { return c == '0' || c == '1' })
	default:
		n = span(s, isDigit)
		if n < len(s) && s[n] == '.' {
			n++
			n += span(s[n:], isDigit)
		}
		n += exponent(s[n:])
	}
	if n < len(s) && isWord(s[n]) {
		return refusal("put a space behind numbers, and backticks around names that begin with a digit")
	}
	l.take(number, s[:n], n)
	return nil
}

// exponent is the length of an exponent at the beginning of s, 0 if there is none.
func exponent(s string) int {
	if s == "" || s[0] != 'e' && s[0] != 'E' {
		return 0
	}
	n := 1
	if n < len(s) && (s[n] == '+' || s[n] == '-') {
		n++
	}
	digits := span(s[n:], isDigit)
	if digits == 0 {
		return 0
	}
	return n + digits
}

func (l *lexer) take(k kind, text string, length int) {
	l.out = append(l.out, token{k, text})
	l.rest = l.rest[length:]
}

func span(s string, in func(byte) bool) int {
	n := 0
	for n < len(s) && in(s[n]) {
		n++
	}
	return n
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isHex(c byte) bool { return isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'f' }

// isWord: letters of other scripts are bytes from 0x80 on, and so is every white space that is not ASCII.
func isWord(c byte) bool {
	return isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' || c == '$' || c >= 0x80
}
