package addressee

import (
	"iter"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"
)

// names maps hosts as browsers do (UTS 46): case, width, invisible characters and ideographic dots go, other
// scripts become punycode. A homoglyph is therefore another host.
var names = idna.New(idna.MapForLookup(), idna.Transitional(false), idna.StrictDomainName(false))

var plainHost = regexp.MustCompile(`^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$`)

// host normalises the host of a URL or a mail address, without userinfo. False: nobody can say what it means.
func host(s string) (string, bool) {
	if len(s) > longestHost {
		return s[:longestHost], false
	}
	s = unpercent(strings.TrimSpace(s))
	if i := strings.LastIndexByte(s, ':'); i >= 0 && strings.Trim(s[i+1:], "0123456789") == "" && !strings.Contains(s[:i], ":") || i > 0 && s[i-1] == ']' {
		s = s[:i] // a port
	}
	if in, ok := strings.CutPrefix(s, "["); ok {
		s = strings.TrimPrefix(strings.ToLower(strings.TrimSuffix(in, "]")), "ipv6:")
	}
	if ip, err := netip.ParseAddr(s); err == nil {
		return ip.WithZone("").Unmap().String(), true
	}
	ascii, err := names.ToASCII(s)
	ascii = strings.TrimRight(strings.ToLower(ascii), ".")
	if err != nil || !plainHost.MatchString(ascii) {
		return strings.ToLower(s), false
	}
	return ascii, true
}

// special are top-level names that no registry manages and that resolve somewhere all the same, or are
// reserved for examples (RFC 6761, RFC 9476).
var special = []string{
	"alt", "corp", "example", "home", "i2p", "internal", "intranet", "invalid", "lan", "local", "localhost", "onion", "private", "test",
}

// exists says whether a normalised host ends in a top-level name that exists: "report.pdf" does not.
func exists(h string) bool {
	if _, err := netip.ParseAddr(h); err == nil {
		return true
	}
	at := strings.LastIndexByte(h, '.')
	if at < 0 {
		return h == "localhost"
	}
	suffix, managed := publicsuffix.PublicSuffix(h)
	return managed || strings.Contains(suffix, ".") || slices.Contains(special, h[at+1:])
}

// likeFiles are top-level names that are read as a file's ending in the middle of a text.
var likeFiles = []string{"cc", "md", "mov", "pl", "ps", "py", "rs", "sh", "so", "zip"}

var (
	bareHost  = regexp.MustCompile(`(?:[\p{L}\p{N}][\p{L}\p{M}\p{N}_-]*\.)+(?:\p{L}[\p{L}\p{M}\p{N}-]*|\p{N}+)`)
	aloneHost = regexp.MustCompile(`^(?://|\\\\)?([^\s/\\?#@<>"]+)(?:[/\\?#].*)?$`)
	number    = regexp.MustCompile(`^(?i:0x[0-9a-f]{4,}|[0-9]{8,10})$`) // an IPv4 address as one number
)

// hostsIn finds hosts that stand in a text without a scheme.
func hostsIn(s string) iter.Seq[Addressee] {
	return func(yield func(Addressee) bool) {
		for start := 0; ; {
			at := bareHost.FindStringIndex(s[start:])
			if at == nil {
				return
			}
			from, to := start+at[0], start+at[1]
			start = to
			if from > 0 && strings.ContainsRune(`@/\%`, rune(s[from-1])) || to < len(s) && s[to] == '@' {
				continue // of an address, a path or a code
			}
			h, ok := host(s[from:to])
			if ok && exists(h) && !slices.Contains(likeFiles, h[strings.LastIndexByte(h, '.')+1:]) && !yield(Addressee{Kind: Host, Value: h, InProse: true}) {
				return
			}
		}
	}
}

// hostAlone finds a host that is all there is in a value, perhaps with a port and a path. A field that is made
// for hosts takes names that no registry knows, too.
func hostAlone(s, key string) (Addressee, bool) {
	s = strings.TrimSpace(s)
	m := aloneHost.FindStringSubmatch(s)
	if m == nil || pathKey(key) {
		return Addressee{}, false
	}
	h, ok := host(m[1])
	relative := strings.HasPrefix(s, "//") || strings.HasPrefix(s, `\\`)
	switch {
	case ok && strings.Contains(h, ".") && (exists(h) || relative || hostKey(key)), ok && strings.Contains(h, ":"):
	case hostKey(key) && number.MatchString(m[1]), !ok && relative:
	default:
		return Addressee{}, false
	}
	return Addressee{Kind: Host, Value: h, Unreadable: !ok}, true
}
