package planner

import (
	"fmt"
	"strings"

	"steward/dev/offline/dialog"
)

// finalText tells what was done and what was not, with a deterministic extract of every result.
func finalText(d dialog.Dialog, p plan) string {
	var b strings.Builder
	var used []string
	for i, call := range d.Calls {
		result := call.Result()
		outcome := extract(result)
		if result.Failed {
			outcome = "failed: " + clip(300, result.Text)
		}
		fmt.Fprintf(&b, "%d. %s %s: %s\n", i+1, call.Name, clip(160, call.Arguments), outcome)
		if len(used) == 0 || used[len(used)-1] != call.Name {
			used = append(used, call.Name)
		}
	}
	for _, g := range p.missing {
		fmt.Fprintf(&b, "Not done: %q: %s.\n", clip(120, g.clause), g.reason())
	}
	switch {
	case len(d.Tools) == 0 && len(d.Calls) == 0:
		b.WriteString("I am a rule-based development model and can only use tools, but none is offered.")
	case len(d.Calls) == 0:
		fmt.Fprintf(&b, "I did nothing. Offered tools: %s.", names(d.Tools))
	case len(p.missing) > 0:
		fmt.Fprintf(&b, "Tools used: %s. Offered tools: %s.", strings.Join(used, ", "), names(d.Tools))
	default:
		fmt.Fprintf(&b, "Tools used: %s.", strings.Join(used, ", "))
	}
	return b.String()
}

func (g gap) reason() string {
	switch {
	case g.full:
		return fmt.Sprintf("a plan has at most %d calls", maxCalls)
	case g.tool == "":
		return "no offered tool fits"
	}
	return fmt.Sprintf("%s needs %s, which the instruction does not give", g.tool, strings.Join(g.lacking, ", "))
}

// clip shortens to n characters on one line.
func clip(n int, text string) string {
	line := []rune(strings.Join(strings.Fields(text), " "))
	if len(line) <= n {
		return string(line)
	}
	return string(line[:n-1]) + "…"
}
