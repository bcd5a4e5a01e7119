package planner

import (
	"math"
	"slices"
	"strings"

	"steward/dev/offline/dialog"
	"steward/dev/offline/lexicon"
)

// Weights of where a word stands. The name says what a tool does; parameters only hint at it.
const (
	inName        = 3.0
	inServer      = 1.0
	inDescription = 1.0
	inParameter   = 0.7
	asSynonym     = 0.6
	longest       = 400 // characters of a description that count; what follows is advice
)

// index knows the words of the offered tools. Building it costs one pass over their texts.
type index struct {
	tools []entry
	df    map[string]int // in how many tools a stem occurs
}

type entry struct {
	tool   dialog.Tool
	weight map[string]float64
	name   []string // stems of the name
}

type scored struct {
	tool  dialog.Tool
	score float64
}

func newIndex(tools []dialog.Tool) *index {
	ix := &index{df: map[string]int{}}
	for _, tool := range tools {
		e := entry{tool: tool, weight: map[string]float64{}, name: lexicon.Terms(tool.Short())}
		add := func(text string, weight float64) {
			for _, stem := range lexicon.Terms(text) {
				e.weight[stem] = max(e.weight[stem], weight)
			}
		}
		add(tool.Short(), inName)
		server, _, _ := strings.Cut(strings.TrimPrefix(tool.Name, "mcp_"), "__")
		add(server, inServer)
		add(tool.Description[:min(longest, len(tool.Description))], inDescription)
		for _, name := range tool.Properties() {
			add(name, inParameter)
		}
		for stem := range e.weight {
			ix.df[stem]++
		}
		ix.tools = append(ix.tools, e)
	}
	return ix
}

// rank orders the tools by how well they fit, leaving out those that do not fit at all. Equal ones
// keep the order of their names.
func (ix *index) rank(said []string) []scored {
	terms := slices.Compact(slices.Sorted(slices.Values(said)))
	var ranking []scored
	for _, e := range ix.tools {
		if score := ix.score(e, terms); score > 0 {
			ranking = append(ranking, scored{e.tool, score})
		}
	}
	slices.SortFunc(ranking, func(a, b scored) int {
		if a.score != b.score {
			if a.score > b.score {
				return -1
			}
			return 1
		}
		return strings.Compare(a.tool.Name, b.tool.Name)
	})
	return ranking
}

// score adds up the words that meet, rare ones counting more. A tool is out unless its name is met,
// and met by more than a verb of looking: "read me a story" is not for read_graph. Words of the
// name that nobody said count against the special forms of a tool.
func (ix *index) score(e entry, terms []string) float64 {
	total, met := 0.0, map[string]bool{}
	substance := false
	for _, term := range terms {
		best := e.weight[term] * ix.rarity(term)
		if e.weight[term] == inName {
			met[term] = true
		}
		substance = substance || best > 0 && !lexicon.Looks(term)
		for _, other := range lexicon.Related(term) {
			if weight := e.weight[other]; weight > 0 {
				best = max(best, asSynonym*weight*ix.rarity(other))
				met[other] = met[other] || weight == inName
				substance = substance || !lexicon.Looks(other) && !lexicon.Looks(term)
			}
		}
		total += best
	}
	if len(met) == 0 || !substance && len(met) < len(e.name) {
		return 0
	}
	return total * (0.5 + 0.5*float64(len(met))/float64(len(e.name)))
}

func (ix *index) rarity(stem string) float64 {
	return math.Log(1 + float64(len(ix.tools))/float64(max(1, ix.df[stem])))
}
