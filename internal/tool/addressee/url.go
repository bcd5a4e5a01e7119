package addressee

import (
	"iter"
	"regexp"
	"strings"
)

// urlStart is how a URL begins for the most generous of its readers: browsers take one slash, none, or
// backslashes after the schemes they know.
var urlStart = regexp.MustCompile(`(?i)(?:[a-z][a-z0-9+.-]{0,30}:[/\\]{2,}|(?:https?|wss?|ftps?):[/\\]?|www\.)`)

// another is the start of the next URL of a list, behind the host of the one before.
var another = regexp.MustCompile(`(?i)[,;](?:https?|wss?|ftps?):$`)

const punctuation = ".,;:!?)]}'*_~`"

// located is a URL in a text.
type located struct {
	start, end int
	host       string
	readable   bool
	more       bool // than a host: a path, a query, a fragment
}

func (u located) addressee() Addressee {
	return Addressee{Kind: Host, Value: u.host, Unreadable: !u.readable}
}

// urlsIn finds URLs, also those within others.
func urlsIn(s string) iter.Seq[located] {
	return func(yield func(located) bool) {
		for at := 0; ; {
			m := urlStart.FindStringIndex(s[at:])
			if m == nil {
				return
			}
			start, prefix := at+m[0], at+m[1]
			at = prefix
			if u, ok := urlAt(s[:min(len(s), start+longestURL)], start, prefix); ok && !yield(u) {
				return
			}
		}
	}
}

func urlAt(s string, start, prefix int) (located, bool) {
	begin := strings.ToLower(s[start:prefix])
	if strings.HasPrefix(begin, "file:///") {
		return located{}, false // of this machine
	}
	if begin == "www." {
		prefix = start
	}
	end := prefix + until(s[prefix:], " \t\r\n\v\f<>\"\u0085\u00a0\u2028\u2029\u3000")
	end = start + len(strings.TrimRight(s[start:end], punctuation))
	if end <= prefix {
		return located{}, false
	}
	rest := s[prefix:end]
	authority := rest[:until(rest, `/?#\`)]
	slash := len(authority) < len(rest) && rest[len(authority)] == '\\'
	if i := another.FindStringIndex(authority); i != nil {
		authority, slash = authority[:i[0]], false
		end = prefix + i[0]
	}
	h, ok := host(strings.TrimRight(authority[strings.LastIndexByte(authority, '@')+1:], punctuation))
	if slash && strings.Contains(rest, "@") { // what stands before the @ is the host to some, a user's name to others
		ok = false
	}
	if authority == "" {
		return located{}, false
	}
	if h == "" {
		h, ok = "no host", false
	}
	return located{start: start, end: end, host: h, readable: ok, more: len(strings.TrimRight(s[prefix+len(authority):end], "/")) > 0}, true
}

func until(s, stop string) int {
	if i := strings.IndexAny(s, stop); i >= 0 {
		return i
	}
	return len(s)
}
