package planner

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"steward/dev/offline/lexicon"
)

// propertyWords are the words of a property name: "fileName" and "file_name" are "file name".
func propertyWords(name string) []string { return lexicon.Words(name) }

// claimNamed looks for values that stand right behind the name of a property ("limit 5",
// "city: Paris", "with subject 'Hello'"). They are set aside first, so that no other property of
// the same type takes them.
func (f *filler) claimNamed() {
	f.named = map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(f.schema.Properties)) {
		property := f.schema.Property(name)
		words := propertyWords(name)
		if len(words) == 0 || property.Type == "boolean" {
			continue
		}
		for i := range words {
			words[i] = regexp.QuoteMeta(words[i])
		}
		form, err := regexp.Compile(`(?i)(?:^|[\s,(])` + strings.Join(words, `[\s_-]?`) + `(?:\s*[=:]\s*|\s+(?:is\s+|of\s+|to\s+|named\s+|called\s+)?)`)
		if err != nil {
			continue
		}
		if m := form.FindStringIndex(f.clause); m != nil {
			if value, ok := f.valueAt(m[1], property.Type); ok {
				f.named[name] = value
			}
		}
	}
}

// valueAt takes the value that begins at a position: a token, or for texts a single bare word.
func (f *filler) valueAt(at int, schemaType string) (string, bool) {
	for i, t := range f.tokens {
		if t.start <= at && at < t.end && !t.used {
			if (schemaType == "integer" || schemaType == "number") && t.kind != number {
				return "", false
			}
			f.tokens[i].used = true
			return t.value, true
		}
	}
	if schemaType != "string" {
		return "", false
	}
	word, _, _ := strings.Cut(f.clause[at:], " ")
	word = strings.Trim(word, ".,;:!?\"'")
	stem := lexicon.Stem(strings.ToLower(word))
	if word == "" || len(lexicon.Terms(word)) == 0 || lexicon.Reads(stem) || lexicon.Changes(stem) {
		return "", false
	}
	return word, f.explicit(at)
}

// explicit reports whether an "=" or ":" stands before the position, or a name begins there. Without
// that a bare word is no evidence: in "read the file again" the word "again" is not the file.
func (f *filler) explicit(at int) bool {
	before := strings.TrimRight(f.clause[:at], " ")
	first := []rune(f.clause[at:])[0]
	return strings.HasSuffix(before, "=") || strings.HasSuffix(before, ":") || unicode.IsUpper(first)
}
