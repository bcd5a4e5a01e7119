package structured

import (
	"slices"
	"strings"

	"steward/dev/offline/lexicon"
)

// Words that say what a property holds.
var (
	prose      = words(`text summary answer message result report response output reply explanation conclusion`)
	amounts    = words(`total totals sum sums amount amounts price cost due`)
	currencies = words(`currency currencies`)
	trouble    = words(`error errors failure failures warning warnings problem problems missing skipped`)
)

// alike are the names that tools give to what a schema may ask for by another one.
var alike = map[string]string{"sender": "from", "title": "subject", "recipient": "to"}

func words(list string) []string { return strings.Fields(list) }

// is reports whether one of the words is in the name of a property.
func is(name string, listed []string) bool {
	return slices.ContainsFunc(lexicon.Words(name), func(w string) bool { return slices.Contains(listed, w) })
}

// ends reports whether a name is one of the words, or ends in one of them: "total_due" is a due, and
// "due_date" is not.
func ends(name string, listed []string) bool {
	words := lexicon.Words(name)
	return len(words) > 0 && slices.Contains(listed, words[len(words)-1])
}

// lookup finds the value of the type under a name. Values that do not agree are none: which of them
// is meant cannot be known.
func lookup[T any](at place) (value T, ok bool) {
	name := stems(at.name)
	for _, source := range at.facts.Values {
		object, _ := source.(map[string]any)
		for key, v := range object {
			if key := stems(key); key == "" || key != name && key != alike[name] {
				continue
			}
			v, typed := v.(T)
			switch {
			case !typed:
			case !ok:
				value, ok = v, true
			case written(value) != written(v):
				return *new(T), false
			}
		}
	}
	return value, ok
}

// stems is a name in a form in which spellings and plurals meet.
func stems(name string) string {
	list := lexicon.Words(name)
	for i, w := range list {
		list[i] = lexicon.Stem(w)
	}
	return strings.Join(list, " ")
}
