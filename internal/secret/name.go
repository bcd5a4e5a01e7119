package secret

import (
	"bytes"
	"slices"
	"strings"
)

// Named reports whether a field, parameter or variable of this name usually holds a secret, in any
// spelling: db_password, apiKey, X-Auth-Token, Authorization. Page and sync tokens are not secret, nor
// is what only speaks of a secret: secret_ref, password_hint, token_count.
func Named(name string) bool { return secretName([]byte(name)) }

// Words that make a name secret wherever they stand.
var secretWords = []string{
	"password", "passwd", "passphrase", "pwd", "secret", "secrets", "apikey", "authorization", "cookie",
	"credential", "credentials", "accesstoken", "refreshtoken", "authtoken", "privatekey", "userinfo",
}

// Last words that say the value is about a secret and not one.
var aboutWords = []string{
	"ref", "refs", "id", "ids", "name", "names", "hint", "type", "types", "count", "policy", "url", "uri",
	"required", "expiry", "expires", "length", "scopes", "methods", "endpoint", "manager", "fingerprint",
}

// Words before "key" and before "token" that decide.
var (
	secretKeys = []string{"api", "private", "access", "secret", "signing", "encryption", "auth", "master", "fernet", "shared", "account"}
	openTokens = []string{"page", "next", "sync", "continuation", "cursor", "resume", "progress", "cancellation", "last"}
)

func secretName(name []byte) bool {
	if len(name) < 3 || len(name) > 64 || !mayBeSecret(name) {
		return false
	}
	words := splitName(name)
	if len(words) == 0 {
		return false
	}
	last, before := words[len(words)-1], ""
	if len(words) > 1 {
		before = words[len(words)-2]
	}
	switch {
	case slices.Contains(aboutWords, last):
		return false
	case slices.ContainsFunc(words, func(w string) bool { return slices.Contains(secretWords, w) }):
		return true
	case last == "token":
		return !slices.Contains(openTokens, before)
	case last == "key":
		return slices.Contains(secretKeys, before)
	}
	return false
}

// mayBeSecret is the cheap look that spares nearly all names the rest.
func mayBeSecret(name []byte) bool {
	var buf [64]byte
	lower := buf[:copy(buf[:], name)]
	for i, b := range lower {
		if b >= 'A' && b <= 'Z' {
			lower[i] = b + 'a' - 'A'
		}
	}
	for _, part := range [...]string{"pass", "pwd", "secret", "key", "token", "auth", "cookie", "cred", "userinfo"} {
		if bytes.Contains(lower, []byte(part)) {
			return true
		}
	}
	return false
}

// splitName cuts snake_case, kebab-case, dotted and camelCase names into lower-case words.
func splitName(name []byte) []string {
	var words []string
	start := 0
	flush := func(end int) {
		if end > start {
			words = append(words, strings.ToLower(string(name[start:end])))
		}
	}
	for i, b := range name {
		switch {
		case !isAlnum(b):
			flush(i)
			start = i + 1
		case isUpper(b) && i > 0 && (!isUpper(name[i-1]) || i+1 < len(name) && isLower(name[i+1])):
			flush(i)
			start = i
		}
	}
	flush(len(name))
	return words
}

func isUpper(b byte) bool { return b >= 'A' && b <= 'Z' }
func isLower(b byte) bool { return b >= 'a' && b <= 'z' }
func isDigit(b byte) bool { return b >= '0' && b <= '9' }
func isAlnum(b byte) bool { return isUpper(b) || isLower(b) || isDigit(b) }
