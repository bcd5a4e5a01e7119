package addressee

import (
	"iter"
	"strings"
	"unicode"
	"unicode/utf8"
)

// mailsIn finds everything around an @ that a mail system could deliver to. Plus-addresses are addresses of
// their own; the local part is compared without regard to case in ASCII and exactly beyond it.
func mailsIn(s string) iter.Seq[Addressee] {
	return func(yield func(Addressee) bool) {
		for at := strings.IndexByte(s, '@'); at >= 0; {
			if a, ok := mailAt(s, at); ok && !yield(a) {
				return
			}
			next := strings.IndexByte(s[at+1:], '@')
			if next < 0 {
				return
			}
			at += 1 + next
		}
	}
}

func mailAt(s string, at int) (Addressee, bool) {
	domain := domainAfter(s[at+1 : min(len(s), at+2+longestHost)])
	if domain == "" {
		return Addressee{}, false
	}
	h, ok := host(domain)
	local := localBefore(s[max(0, at-longestLocal):at])
	if local != "" {
		return Addressee{Kind: Mail, Value: lowerASCII(local) + "@" + h, Unreadable: !ok || len(local) >= longestLocal}, true
	}
	return Addressee{Kind: Host, Value: h}, ok && strings.Contains(h, ".")
}

func localBefore(s string) string {
	if quoted, ok := strings.CutSuffix(s, `"`); ok {
		if open := strings.LastIndexByte(quoted, '"'); open >= 0 {
			return quoted[open+1:]
		}
	}
	start := len(s)
	for start > 0 {
		r, size := utf8.DecodeLastRuneInString(s[:start])
		if !inLocal(r) {
			break
		}
		start -= size
	}
	return strings.TrimLeft(s[start:], ".'")
}

// inLocal keeps all that is not ASCII: an invisible character makes another address.
func inLocal(r rune) bool {
	return r >= utf8.RuneSelf && !unicode.IsSpace(r) || alphanumeric(r) || strings.ContainsRune(".!#$%'+^_-", r)
}

func domainAfter(s string) string {
	if strings.HasPrefix(s, "[") {
		if end := strings.IndexByte(s, ']'); end > 0 {
			return s[:end+1]
		}
	}
	rest := strings.TrimLeftFunc(s, inDomain)
	return strings.TrimRight(s[:len(s)-len(rest)], ".-")
}

func inDomain(r rune) bool {
	if r >= utf8.RuneSelf {
		return !unicode.IsSpace(r) && !unicode.IsPunct(r)
	}
	return alphanumeric(r) || strings.ContainsRune(".-_", r)
}

func alphanumeric(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
}

// lowerASCII leaves other scripts alone: the Kelvin sign would become a k.
func lowerASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}
