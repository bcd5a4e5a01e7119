package redis

import (
	"errors"
	"strings"
	"unicode"
)

// mostArguments of one command; EVAL_RO takes no more than some 8,000.
const mostArguments = 1000

// split takes a command line apart as redis-cli does: words at spaces, "double quotes" with the escapes \n \r \t \b \a
// \xhh \" \\, 'single quotes' in which only \' is one.
func split(line string) ([]string, error) {
	var words []string
	for rest := strings.TrimLeftFunc(line, unicode.IsSpace); rest != ""; rest = strings.TrimLeftFunc(rest, unicode.IsSpace) {
		if len(words) > mostArguments {
			return nil, errors.New("the command has too many arguments")
		}
		word, after, err := next(rest)
		if err != nil {
			return nil, err
		}
		words, rest = append(words, word), after
	}
	if len(words) == 0 {
		return nil, errors.New("the command is empty")
	}
	return words, nil
}

// next is the first word of a line and what stands behind it.
func next(line string) (word, rest string, err error) {
	var b strings.Builder
	for i := 0; i < len(line); {
		switch c := line[i]; {
		case c == '"' || c == '\'':
			n, err := quoted(&b, line[i:])
			if err != nil {
				return "", "", err
			}
			i += n
			if i < len(line) && !isSpace(line[i]) {
				return "", "", errors.New("a closing quote must be followed by a space")
			}
		case isSpace(c):
			return b.String(), line[i:], nil
		default:
			b.WriteByte(c)
			i++
		}
	}
	return b.String(), "", nil
}

func isSpace(c byte) bool { return c < 0x80 && unicode.IsSpace(rune(c)) }

// quoted writes what stands in quotes and says how long it is with them.
func quoted(b *strings.Builder, text string) (int, error) {
	quote := text[0]
	for i := 1; i < len(text); i++ {
		switch c := text[i]; {
		case c == quote:
			return i + 1, nil
		case c == '\\' && i+1 < len(text) && (quote == '"' || text[i+1] == '\''):
			i += escaped(b, text[i+1:])
		default:
			b.WriteByte(c)
		}
	}
	return 0, errors.New("a quote is not closed")
}

var escapes = map[byte]byte{'n': '\n', 'r': '\r', 't': '\t', 'b': '\b', 'a': '\a'}

// escaped writes what a backslash before text means and says how much of text it has used.
func escaped(b *strings.Builder, text string) int {
	c := text[0]
	if c == 'x' && len(text) > 2 {
		high, low := hex(text[1]), hex(text[2])
		if high >= 0 && low >= 0 {
			b.WriteByte(byte(high<<4 | low)) //nolint:gosec // G115: two digits of 16
			return 3
		}
	}
	if meant, ok := escapes[c]; ok {
		c = meant
	}
	b.WriteByte(c)
	return 1
}

// hex is the value of a digit, -1 of what is none.
func hex(c byte) int {
	return strings.IndexRune("0123456789abcdef", unicode.ToLower(rune(c)))
}
