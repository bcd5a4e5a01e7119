// Package lexicon turns text into comparable words: splitting, stemming, stop words, synonyms and
// the verbs that tell whether a tool reads or changes. English only, small, and deterministic.
package lexicon

import (
	"strings"
	"unicode"
)

// Words splits text into lower-case words; camelCase, snake_case and kebab-case come apart.
func Words(text string) []string {
	var words []string
	var word strings.Builder
	flush := func() {
		if word.Len() > 0 {
			words = append(words, word.String())
			word.Reset()
		}
	}
	lower := false
	for _, r := range text {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			flush()
		case unicode.IsUpper(r) && lower:
			flush()
			word.WriteRune(unicode.ToLower(r))
		default:
			word.WriteRune(unicode.ToLower(r))
		}
		lower = unicode.IsLower(r) || unicode.IsDigit(r)
	}
	flush()
	return words
}

// Terms are the stems of the words that carry meaning, in order, with repetitions.
func Terms(text string) []string {
	var terms []string
	for _, word := range Words(text) {
		if !stopWords[word] {
			terms = append(terms, Stem(word))
		}
	}
	return terms
}

// Stem cuts a lower-case word down so that forms of one word meet: "deleting", "deleted" and
// "deletes" become "delet". Stems are for comparing, never for showing.
func Stem(word string) string {
	if base, ok := irregular[word]; ok {
		word = base
	}
	word = strings.ReplaceAll(word, "iz", "is") // summarize, summarise
	switch {
	case len(word) > 4 && strings.HasSuffix(word, "ies"):
		word = word[:len(word)-3] + "y"
	case len(word) > 4 && hasAnySuffix(word, "xes", "ches", "shes", "sses"):
		word = word[:len(word)-2]
	case len(word) > 3 && strings.HasSuffix(word, "s") && !hasAnySuffix(word, "ss", "us", "is"):
		word = word[:len(word)-1]
	}
	switch {
	case len(word) > 5 && strings.HasSuffix(word, "ing"):
		word = word[:len(word)-3]
	case len(word) > 4 && strings.HasSuffix(word, "ed"):
		word = word[:len(word)-2]
	}
	if n := len(word); n > 3 && word[n-1] == 'e' {
		word = word[:n-1]
	} else if n > 3 && word[n-1] == word[n-2] {
		word = word[:n-1]
	}
	return word
}

func hasAnySuffix(word string, suffixes ...string) bool {
	for _, suffix := range suffixes {
		if strings.HasSuffix(word, suffix) {
			return true
		}
	}
	return false
}

var irregular = map[string]string{
	"sent": "send", "wrote": "write", "written": "write", "found": "find", "made": "make",
	"ran": "run", "info": "information", "dir": "directory", "dirs": "directory", "mails": "mail",
	"emails": "email", "e": "email", "repo": "repository", "repos": "repository",
}

var stopWords = set(`a an the of to in on for and or with my me i we our you your please all any from is are
	was were be this that these those it its by at as do does did have has if then than so just also
	there here what which who when where how can could would should will shall let us them they`)

func set(words string) map[string]bool {
	m := map[string]bool{}
	for _, word := range strings.Fields(words) {
		m[word] = true
	}
	return m
}
