package lexicon

var (
	looking = stems(`get list read search find query describe show fetch lookup look view check open browse
		inspect preview explain`)
	computing = stems(`count stat status tree information compare validate convert calculate compute sum
		current download head tail help version ping whoami`)
	changing = stems(`send create write delete remove update add move edit set insert post put upload rename
		drop append replace patch merge close cancel approve invite share publish reply forward
		archive trash execute run start stop restart kill install enable disable toggle trigger
		subscribe unsubscribe save store copy make mark assign comment pay transfer book order buy
		schedule reset clear purge import sync deploy commit push gzip zip`)
	finishing = stems(`summarise summarize summary tell report explain describe brief digest answer`)
)

// Looks reports whether the stem is a verb of looking, which by itself says nothing about at what.
func Looks(stem string) bool { return looking[stem] }

// Reads reports whether the stem is a verb that changes nothing: one of looking or of computing.
func Reads(stem string) bool { return looking[stem] || computing[stem] }

// Changes reports whether the stem is a verb of changing something.
func Changes(stem string) bool { return changing[stem] }

// Finishes reports whether the stem is a verb that the final text fulfils, no tool.
func Finishes(stem string) bool { return finishing[stem] }

func stems(words string) map[string]bool {
	m := map[string]bool{}
	for word := range set(words) {
		m[Stem(word)] = true
	}
	return m
}
