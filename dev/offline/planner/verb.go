package planner

import (
	"slices"

	"steward/dev/offline/dialog"
	"steward/dev/offline/lexicon"
)

// allowed keeps a tool back when it would do something else than was said. A changing tool needs its
// verb in the clause, and a clause that begins with a changing verb needs a tool of that verb: nobody
// who says "delete all files" wants them listed. A name without a verb that we know counts as
// changing, and then one of its words must be said: "echo hello" may call echo.
func allowed(tool dialog.Tool, said []string) bool {
	name := lexicon.Terms(tool.Short())
	if lexicon.Changes(said[0]) && !meets(said[0], name) {
		return false
	}
	verbs := slices.DeleteFunc(slices.Clone(name), func(stem string) bool { return !lexicon.Changes(stem) })
	switch {
	case len(name) > 0 && lexicon.Reads(name[0]):
		return true // get_current_run reads, whatever follows
	case len(verbs) == 0 && slices.ContainsFunc(name, lexicon.Reads):
		return true
	case len(verbs) == 0:
		verbs = name
	}
	return slices.ContainsFunc(verbs, func(verb string) bool { return meets(verb, said) })
}

// meets reports whether a stem or one that may stand for it is among the others.
func meets(stem string, others []string) bool {
	return slices.Contains(others, stem) || slices.ContainsFunc(lexicon.Related(stem), func(related string) bool {
		return slices.Contains(others, related)
	})
}
