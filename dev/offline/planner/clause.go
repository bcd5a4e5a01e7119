package planner

import (
	"regexp"
	"strings"

	"steward/dev/offline/lexicon"
)

var (
	quoted    = regexp.MustCompile("\"[^\"\n]*\"|“[^”\n]*”|`[^`\n]*`|(?:^|\\s)'[^'\n]*'")
	separator = regexp.MustCompile(`(?i)\s*(?:;|\n|[.!?](?:\s|$)|,?\s+(?:and\s+)?(?:then|afterwards|after that)\s|,?\s+and\s+|,\s+)\s*`)
)

// clauses cuts an instruction into the things to do. "and" and commas only separate when a verb
// follows, so "17 and 25" stays whole; nothing inside quotes is cut.
func clauses(instruction string) []string {
	shielded := []byte(instruction)
	for _, m := range quoted.FindAllStringIndex(instruction, -1) {
		for i := m[0]; i < m[1]; i++ {
			shielded[i] = 'x'
		}
	}
	var list []string
	start := 0
	for _, m := range separator.FindAllIndex(shielded, -1) {
		words := strings.Trim(string(shielded[m[0]:m[1]]), ", \t")
		if (words == "" || strings.EqualFold(words, "and")) && !startsWithVerb(instruction[m[1]:]) {
			continue
		}
		list = append(list, instruction[start:m[0]])
		start = m[1]
	}
	list = append(list, instruction[start:])
	kept := list[:0]
	for _, clause := range list {
		if clause = strings.Trim(clause, " \t\r,.;"); len(lexicon.Words(clause)) > 0 {
			kept = append(kept, clause)
		}
	}
	return kept
}

func startsWithVerb(text string) bool {
	words := lexicon.Words(text[:min(40, len(text))])
	if len(words) == 0 {
		return false
	}
	stem := lexicon.Stem(words[0])
	return lexicon.Looks(stem) || lexicon.Changes(stem) || lexicon.Finishes(stem)
}

// onlyTelling reports whether a clause asks for nothing but the final text: "summarise them".
func onlyTelling(clause string) bool {
	terms := lexicon.Terms(clause)
	return len(terms) > 0 && len(terms) <= 4 && lexicon.Finishes(terms[0])
}

// said are the stems of a clause that count for choosing a tool. Values speak too: a path stands for
// a file, and "mail a@b.c" means to send.
func said(clause string, values []token) []string {
	terms := lexicon.Terms(clause)
	for _, value := range values {
		switch value.kind {
		case path:
			terms = append(terms, lexicon.Stem("file"))
		case url:
			terms = append(terms, "url")
		case email:
			if len(terms) > 0 && (terms[0] == lexicon.Stem("email") || terms[0] == lexicon.Stem("mail")) {
				terms[0] = lexicon.Stem("send")
			}
			terms = append(terms, lexicon.Stem("email"))
		}
	}
	return terms
}
