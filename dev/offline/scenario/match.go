package scenario

import (
	"path"
	"regexp"
	"strings"

	"steward/dev/offline/lexicon"
)

// Match decides by the words of an instruction. A word is a glob such as "summar*"; alternatives
// are separated by "|".
type Match struct {
	All   []string `yaml:"all"`   // each of these must occur
	Any   []string `yaml:"any"`   // one of these must occur
	None  []string `yaml:"none"`  // none of these may occur
	Regex *Pattern `yaml:"regex"` // must match the whole text somewhere
}

func (m Match) fits(instruction string) bool {
	words := lexicon.Words(instruction)
	for _, word := range m.All {
		if !occurs(word, words) {
			return false
		}
	}
	for _, word := range m.None {
		if occurs(word, words) {
			return false
		}
	}
	if len(m.Any) > 0 && !occurs(strings.Join(m.Any, "|"), words) {
		return false
	}
	return m.Regex == nil || m.Regex.MatchString(instruction)
}

func occurs(globs string, words []string) bool {
	for _, glob := range strings.Split(globs, "|") {
		for _, word := range words {
			if ok, err := path.Match(glob, word); err == nil && ok {
				return true
			}
		}
	}
	return false
}

// address is an e-mail address in running text.
var address = regexp.MustCompile(`[\w.+-]+@[\w-]+(?:\.[\w-]+)+`)
