package addressee

import (
	"encoding/base64"
	"encoding/hex"
	"html"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// maxViews bounds how often one text is decoded.
const maxViews = 12

// views are the texts that a reader may see in s who decodes what others leave as it is.
func views(s string) []string {
	out := []string{s}
	for i := 0; i < len(out) && len(out) < maxViews; i++ {
		for _, decode := range []func(string) string{fold, unpercent, html.UnescapeString, unescape} {
			if v := decode(out[i]); v != out[i] && !slices.Contains(out, v) {
				out = append(out, v)
			}
		}
	}
	return out
}

// fold takes away the differences of width and style, such as those between @ and ＠.
func fold(s string) string {
	return strings.ReplaceAll(norm.NFKC.String(s), "。", ".")
}

var percent = regexp.MustCompile(`(?:%[0-9A-Fa-f]{2})+`)

func unpercent(s string) string {
	return percent.ReplaceAllStringFunc(s, func(code string) string {
		raw, err := hex.DecodeString(strings.ReplaceAll(code, "%", ""))
		if err != nil || !utf8.Valid(raw) {
			return code
		}
		return string(raw)
	})
}

var escaped = regexp.MustCompile(`\\u[0-9A-Fa-f]{4}|\\x[0-9A-Fa-f]{2}`)

// unescape reads the escapes of JSON and of programs.
func unescape(s string) string {
	return escaped.ReplaceAllStringFunc(s, func(code string) string {
		n, err := strconv.ParseInt(code[2:], 16, 32)
		if err != nil {
			return code
		}
		return string(rune(n))
	})
}

var base64Text = regexp.MustCompile(`^[A-Za-z0-9+/_-]{8,}={0,2}$`)

// unbase64 returns the text that s encodes as a whole: a raw mail, perhaps.
func unbase64(s string) (string, bool) {
	s = strings.Join(strings.Fields(s), "")
	if !base64Text.MatchString(s) {
		return "", false
	}
	s = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(s, "="))
	raw, err := base64.RawStdEncoding.DecodeString(s)
	if err != nil || !utf8.Valid(raw) {
		return "", false
	}
	hidden := strings.ContainsFunc(string(raw), func(r rune) bool { return unicode.IsControl(r) && !unicode.IsSpace(r) })
	return string(raw), !hidden
}
