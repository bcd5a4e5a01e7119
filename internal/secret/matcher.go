package secret

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
)

// minValue is the shortest value, and the shortest part of one, that is worth finding.
const minValue = 4

// minLine is the shortest line of a value of several lines (a private key, say) that is looked for on
// its own, as a server's log would print it.
const minLine = 20

// matcher finds the longest of a set of byte strings at a place. Two bits of bookkeeping make the common
// case, no match, one load per byte: which pairs of bytes any needle begins with.
type matcher struct {
	pairs  [1 << 16 / 64]uint64
	byHead map[[minValue]byte][][]byte // longest first
}

func newMatcher(values []String) *matcher {
	m := &matcher{byHead: map[[minValue]byte][][]byte{}}
	for _, v := range values {
		for _, needle := range forms(v.Reveal()) {
			m.add([]byte(needle))
		}
	}
	for _, needles := range m.byHead {
		slices.SortFunc(needles, func(a, b []byte) int { return cmp.Compare(len(b), len(a)) })
	}
	if len(m.byHead) == 0 {
		return nil
	}
	return m
}

func (m *matcher) add(needle []byte) {
	if len(needle) < minValue {
		return
	}
	head := [minValue]byte(needle)
	if slices.ContainsFunc(m.byHead[head], func(n []byte) bool { return bytes.Equal(n, needle) }) {
		return
	}
	m.byHead[head] = append(m.byHead[head], needle)
	pair := uint(needle[0])<<8 | uint(needle[1])
	m.pairs[pair/64] |= 1 << (pair % 64)
}

// at returns the length of the longest needle at src[i:], 0 if there is none. A nil matcher has none.
func (m *matcher) at(src []byte, i int) int {
	if m == nil || len(src)-i < minValue {
		return 0
	}
	pair := uint(src[i])<<8 | uint(src[i+1])
	if m.pairs[pair/64]&(1<<(pair%64)) == 0 {
		return 0
	}
	for _, needle := range m.byHead[[minValue]byte(src[i:i+minValue])] {
		if bytes.HasPrefix(src[i:], needle) {
			return len(needle)
		}
	}
	return 0
}

// forms lists how a value may appear in text: as it is, escaped for JSON (also inside a JSON string that
// is itself quoted), for URLs, in hex and base64.
func forms(value string) []string {
	quoted := jsonEscape(value)
	out := []string{
		value, quoted, jsonEscape(quoted), strings.TrimSuffix(string(appendString(nil, value))[1:], `"`),
		url.QueryEscape(value), url.PathEscape(value), hex.EncodeToString([]byte(value)),
	}
	if len(value) >= minValue {
		out = append(out, base64Forms(value)...)
	}
	if strings.Contains(value, "\n") {
		for line := range strings.Lines(value) {
			if line = strings.TrimSpace(line); len(line) >= minLine {
				out = append(out, line)
			}
		}
	}
	return out
}

// base64Forms covers both alphabets and the three ways in which a value can lie inside a longer encoded
// text, such as user:password; characters that depend on the neighbours are left out.
func base64Forms(value string) []string {
	var out []string
	for shift := range 3 {
		shifted := append(make([]byte, shift), value...)
		from := (shift*8 + 5) / 6
		whole := len(shifted) * 8 / 6
		for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			text := enc.EncodeToString(shifted)
			if shift == 0 {
				out = append(out, text)
			}
			if whole-from >= 2*minValue {
				out = append(out, text[from:whole])
			}
		}
	}
	return out
}

func jsonEscape(s string) string {
	// Marshal of a string cannot fail.
	quoted, _ := json.Marshal(s)
	return string(quoted[1 : len(quoted)-1])
}
