package planner

import (
	"regexp"
	"slices"
	"strings"

	"steward/dev/offline/lexicon"
)

var (
	cue     = regexp.MustCompile(`(?i)\b(?:for|about|saying|containing|contain|contains|matching|regarding|mentioning|named|called|text)\s+`)
	tail    = regexp.MustCompile(`(?i)\s+(?:in|from|under|at|to|into|within|on|since|before|after|between|during)(?:\s+(?:the|folder|directory|file))*\s*$`)
	article = regexp.MustCompile(`(?i)^(?:the|a|an|my|our)\s+`)
	when    = regexp.MustCompile(`(?i)\s+(?:from\s+)?(?:(?:last|past|previous|this|next)\s+(?:\d+\s+)?(?:week|month|year|day)s?|today|yesterday|tomorrow)\b.*$`)
)

// phrase is free text: what is quoted, else what follows a word such as "for" or "about", else, for
// required ones, what follows the verb of the tool ("echo hello"). It ends before the next value.
func (f *filler) phrase(required bool) (any, bool) {
	if value, ok := f.take(text); ok {
		return value, true
	}
	if m := cue.FindStringIndex(f.clause); m != nil {
		if value, ok := f.until(m[1]); ok {
			return value, true
		}
	}
	first, _, _ := strings.Cut(f.clause, " ")
	if required && len(first) < len(f.clause) && slices.Contains(lexicon.Terms(f.tool.Short()), lexicon.Stem(strings.ToLower(first))) {
		return f.until(len(first) + 1)
	}
	return nil, false
}

// until returns the text from a position to the next value of another property, without the words
// that lead over to it.
func (f *filler) until(at int) (any, bool) {
	end := len(f.clause)
	for i, t := range f.tokens {
		switch {
		case t.start <= at && at < t.end && !t.used:
			f.tokens[i].used = true // the value is all there is: "for report.txt"
			return t.value, true
		case t.start > at && t.start < end && t.kind != number:
			end = t.start
		}
	}
	phrase := f.clause[at:end]
	phrase = tail.ReplaceAllString(phrase, "")
	phrase = when.ReplaceAllString(phrase, "")
	phrase = article.ReplaceAllString(strings.Trim(phrase, " \t.,;:!?"), "")
	return phrase, len(lexicon.Words(phrase)) > 0
}

var placeForm = regexp.MustCompile(`\b(?:in|at|for|near)\s+((?:\p{Lu}[\pL.'-]*\s?)+)`)

func (f *filler) place() (any, bool) {
	if m := placeForm.FindStringSubmatch(f.clause); m != nil {
		return strings.TrimRight(m[1], " .'"), true
	}
	return f.take(text)
}
