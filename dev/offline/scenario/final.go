package scenario

import (
	"fmt"
	"strings"
)

// finalText adds to the scenario's own text what the reader must know in any case: what failed,
// what was cut, and which tools were used.
func (s *scope) finalText(text string) string {
	var b strings.Builder
	b.WriteString(text)
	cut := false
	for _, u := range s.results {
		if u.result.Failed {
			fmt.Fprintf(&b, "\nFailed: %s: %s", u.tool, Clip(200, u.result.Text))
		}
		cut = cut || u.result.Cut
	}
	if cut {
		b.WriteString("\nSome tool output was cut, so figures may be incomplete.")
	}
	b.WriteString("\nTools used: " + s.toolList() + ".")
	return b.String()
}

// stopText tells why a scenario ended early.
func (s *scope) stopText() string {
	last := s.results[len(s.results)-1]
	return fmt.Sprintf("I stopped because %s failed: %s\nTools used: %s.",
		last.tool, Clip(300, last.result.Text), s.toolList())
}

func (s *scope) toolList() string {
	var names []string
	count := map[string]int{}
	for _, u := range s.results {
		if count[u.tool] == 0 {
			names = append(names, u.tool)
		}
		count[u.tool]++
	}
	for i, name := range names {
		names[i] = fmt.Sprintf("%s (%d)", name, count[name])
	}
	if names == nil {
		return "none"
	}
	return strings.Join(names, ", ")
}
