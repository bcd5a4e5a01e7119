package secret

import (
	"bytes"
	"encoding/base64"
)

// issued are the beginnings by which issuers mark their credentials, and how long the rest must be for
// a match. Rules, not regular expressions: the latter read 1 MiB in a third of a second.
var issued = []struct {
	prefix string
	rest   int
}{
	{"sk-", 16}, // OpenAI and others
	{"xoxb-", 10},
	{"xoxp-", 10}, // Slack
	{"xoxa-", 10},
	{"xoxr-", 10},
	{"xoxs-", 10},
	{"xapp-", 10},
	{"AKIA", 16},
	{"ASIA", 16}, // AWS
	{"ghp_", 20},
	{"gho_", 20},
	{"ghs_", 20},
	{"ghu_", 20},
	{"ghr_", 20},
	{"github_pat_", 20},
	{"glpat-", 16},
	{"npm_", 20},
	{"AIza", 30},
	{"ya29.", 20},
	{"1//0", 30},
	{"GOCSPX-", 16}, // Google
	{"gAAAAA", 60},  // Fernet tokens
	{"mk_", 50},     // our own API keys
}

// triggers are the bytes at which credentialAt has to look closer.
var triggers = func() (t [256]bool) {
	for _, b := range []byte("=:-eBbi") {
		t[b] = true
	}
	for _, rule := range issued {
		t[rule.prefix[0]] = true
	}
	return t
}()

// credentialAt returns the bytes to hide of a credential that is recognized at src[i]; to is 0 if there
// is none. The part that tells what it was (Bearer, password=) stays.
func credentialAt(src []byte, i int) (from, to int) {
	b := src[i]
	if !triggers[b] {
		return 0, 0
	}
	switch b {
	case '=':
		return namedValue(src, i)
	case ':':
		if from, to = userinfo(src, i); to > 0 {
			return from, to
		}
		return namedValue(src, i)
	case '-':
		return privateKey(src, i)
	}
	if i > 0 && isWord(src[i-1]) {
		return 0, 0 // in the middle of a word; this also keeps the scan linear
	}
	switch b {
	case 'B', 'b':
		return authorization(src, i)
	case 'e':
		return webToken(src, i)
	case 'i':
		return statedValue(src, i)
	}
	for _, rule := range issued {
		if rule.prefix[0] == b && bytes.HasPrefix(src[i:], []byte(rule.prefix)) {
			rest := i + len(rule.prefix)
			if end := run(src, rest, isWord); end-rest >= rule.rest {
				return i, end
			}
		}
	}
	return 0, 0
}

// authorization hides what follows Bearer and Basic, in any case, where it looks like a credential and
// not like prose ("basic authentication").
func authorization(src []byte, i int) (from, to int) {
	rest := src[i:]
	switch {
	case len(rest) > 7 && bytes.EqualFold(rest[:7], []byte("bearer ")):
		from = i + 7
		to = run(src, from, isToken)
		if n := to - from; n >= 20 || n >= 8 && bytes.ContainsAny(src[from:to], "0123456789") {
			return from, to
		}
	case len(rest) > 6 && bytes.EqualFold(rest[:6], []byte("basic ")):
		from = i + 6
		to = run(src, from, isToken)
		pair, err := base64.RawStdEncoding.AppendDecode(nil, bytes.TrimRight(src[from:to], "="))
		if err == nil && bytes.IndexByte(pair, ':') >= 0 {
			return from, to
		}
	}
	return 0, 0
}

// webToken hides a JWT: three base64url parts of which the first begins like {" does.
func webToken(src []byte, i int) (from, to int) {
	if !bytes.HasPrefix(src[i:], []byte("eyJ")) {
		return 0, 0
	}
	end := run(src, i, isWord)
	parts := bytes.Split(src[i:end], []byte("."))
	if len(parts) >= 3 && len(parts[0]) >= 10 && len(parts[1]) >= 10 {
		return i, end
	}
	return 0, 0
}

// privateKey hides a PEM block of a private key, to the end of the text if its end was cut off.
func privateKey(src []byte, i int) (from, to int) {
	const begin, end, dashes = "-----BEGIN ", "-----END ", "-----"
	if !bytes.HasPrefix(src[i:], []byte(begin)) {
		return 0, 0
	}
	label, _, ok := bytes.Cut(src[i+len(begin):min(len(src), i+80)], []byte(dashes))
	if !ok || !bytes.HasSuffix(label, []byte("PRIVATE KEY")) {
		return 0, 0
	}
	body := i + len(begin) + len(label) + len(dashes)
	stop := bytes.Index(src[body:], []byte(end))
	if stop < 0 {
		return i, len(src)
	}
	stop += body + len(end)
	if tail := bytes.Index(src[stop:], []byte(dashes)); tail >= 0 {
		return i, stop + tail + len(dashes)
	}
	return i, len(src)
}

// userinfo hides user and password of a URL; src[i] is the colon of "://".
func userinfo(src []byte, i int) (from, to int) {
	if i == 0 || !isAlnum(src[i-1]) || !bytes.HasPrefix(src[i:], []byte("://")) {
		return 0, 0
	}
	from = i + 3
	for to = from; to < len(src) && to-from < 512; to++ {
		switch b := src[to]; {
		case b == '@' && to > from:
			return from, to
		case b <= ' ' || bytes.IndexByte([]byte(`/?#"'<>\`), b) >= 0:
			return 0, 0
		}
	}
	return 0, 0
}

// namedValue hides the value of password=…, "api_key": "…", Token: … and so on; src[i] is the = or :.
func namedValue(src []byte, i int) (from, to int) {
	end := i
	for end > 0 && i-end < 2 && src[end-1] == ' ' {
		end--
	}
	for end > 0 && (src[end-1] == '"' || src[end-1] == '\'' || src[end-1] == '\\') {
		end--
	}
	start := end
	for start > 0 && end-start < 64 && (isAlnum(src[start-1]) || bytes.IndexByte([]byte("_-."), src[start-1]) >= 0) {
		start--
	}
	if !secretName(src[start:end]) {
		return 0, 0
	}
	from = i + 1
	for from < len(src) && from-i < 3 && src[from] == ' ' {
		from++
	}
	for from < len(src) && src[from] == '\\' {
		from++
	}
	if from < len(src) && (src[from] == '"' || src[from] == '\'') {
		return quotedValue(src, from)
	}
	if from < len(src) && bytes.IndexByte([]byte("[{("), src[from]) >= 0 {
		return 0, 0 // a structure, or Redacted
	}
	to = run(src, from, func(b byte) bool { return b > ' ' && bytes.IndexByte([]byte(`,;&"'<>)]}\`), b) < 0 })
	// Authorization: Bearer x and Basic x are for authorization to judge; a literal is no secret.
	switch word := string(bytes.ToLower(src[from:to])); word {
	case "", "bearer", "basic", "null", "true", "false", "***":
		return 0, 0
	}
	return from, to
}

// statedValue hides what people write as "the password is x1y2z3"; src[i] begins "is". A value without a
// digit or a sign is taken for prose ("the password is wrong").
func statedValue(src []byte, i int) (from, to int) {
	if i < 2 || src[i-1] != ' ' || !bytes.HasPrefix(src[i:], []byte("is ")) {
		return 0, 0
	}
	start := i - 1
	for start > 0 && i-start < 64 && isWord(src[start-1]) {
		start--
	}
	if !secretName(src[start : i-1]) {
		return 0, 0
	}
	from = i + len("is ")
	if from < len(src) && (src[from] == '"' || src[from] == '\'') {
		return quotedValue(src, from)
	}
	to = run(src, from, func(b byte) bool { return b > ' ' && bytes.IndexByte([]byte(`,;"'<>()[]{}\`), b) < 0 })
	for to > from && bytes.IndexByte([]byte(".!?:"), src[to-1]) >= 0 {
		to--
	}
	if !bytes.ContainsAny(src[from:to], "0123456789+/=_@#$%^&*~!") {
		return 0, 0
	}
	return from, to
}

func quotedValue(src []byte, open int) (from, to int) {
	from = open + 1
	for to = from; to < len(src) && src[to] != src[open] && src[to] != '\n'; to++ {
		if src[to] == '\\' && to+1 < len(src) && src[to+1] == src[open] {
			break // an escaped quote closes a value that an escaped quote opened
		}
	}
	if to == from || string(src[from:to]) == Redacted {
		return 0, 0
	}
	return from, to
}

// run returns the end of the run of bytes of a class from i.
func run(src []byte, i int, class func(byte) bool) int {
	for i < len(src) && class(src[i]) {
		i++
	}
	return i
}

// isToken is the alphabet of credentials in an Authorization header (RFC 7235 token68).
func isToken(b byte) bool { return isWord(b) || b == '~' || b == '+' || b == '/' || b == '=' }

func isWord(b byte) bool { return isAlnum(b) || b == '-' || b == '_' || b == '.' }
