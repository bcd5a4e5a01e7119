// Package planner works on free text for which there is no scenario. It scores the offered tools by
// the words of the instruction and calls the best one whose required arguments can all be taken
// from the text. It never invents a value: when one is missing it says so instead.
package planner

import (
	"slices"
	"strings"
	"time"

	"steward/dev/offline/dialog"
)

// maxCalls bounds a plan.
const maxCalls = 4

// Play continues the dialog: the calls of the plan one after another, then a text.
func Play(d dialog.Dialog) dialog.Reply {
	plan := makePlan(d)
	done := 0
	for left := d.Calls; done < len(plan.calls); done++ {
		i := slices.IndexFunc(left, func(c dialog.Call) bool { return c.Name == plan.calls[done].Name })
		if i < 0 {
			break
		}
		left = left[i+1:]
	}
	if done < len(plan.calls) && !d.NoCalls {
		return d.Ask(plan.calls[done])
	}
	reply := dialog.Say(finalText(d, plan))
	reply.Facts = facts(d)
	return reply
}

// plan is what the instruction asks for, clause by clause. It depends on the instruction and the
// tools only, so every request of a dialog sees the same plan.
type plan struct {
	calls   []dialog.Call
	missing []gap // clauses that could not be turned into a call
}

// gap is a clause, or part of one, without a call: no tool fits, or the best one lacks arguments,
// or the plan is full.
type gap struct {
	clause  string
	tool    string
	lacking []string
	full    bool
}

func makePlan(d dialog.Dialog) plan {
	var p plan
	ix := newIndex(d.Tools)
	for _, clause := range clauses(d.Instruction) {
		calls, lack := choose(ix, clause, d.Today)
		room := maxCalls - len(p.calls)
		switch {
		case len(calls) > room:
			p.calls = append(p.calls, calls[:room]...)
			p.missing = append(p.missing, gap{clause: clause, full: true})
		case len(calls) > 0:
			p.calls = append(p.calls, calls...)
		case !onlyTelling(clause):
			p.missing = append(p.missing, lack)
		}
	}
	return p
}

// candidates bounds how far down the ranking a tool may stand and still be taken, because a better
// one lacks arguments. Further down, tools no longer do what was asked.
const candidates = 5

// choose returns the calls for one clause, or why there are none.
func choose(ix *index, clause string, today time.Time) ([]dialog.Call, gap) {
	values := tokens(clause)
	words := said(clause, values)
	lack := gap{clause: clause}
	ranking := ix.rank(words)
	for _, s := range ranking[:min(candidates, len(ranking))] {
		if s.score < ranking[0].score/2 {
			break
		}
		if !allowed(s.tool, words) {
			continue
		}
		arguments, lacking := fill(s.tool, clause, values, today)
		if len(lacking) > 0 {
			if lack.tool == "" {
				lack.tool, lack.lacking = s.tool.Name, lacking
			}
			continue
		}
		var calls []dialog.Call
		for _, a := range arguments {
			calls = append(calls, dialog.Call{Name: s.tool.Name, Arguments: a})
		}
		return calls, gap{}
	}
	return nil, lack
}

// names lists the tools for a text, shortened when there are many.
func names(tools []dialog.Tool) string {
	const most = 12
	var list []string
	for _, tool := range tools {
		if len(list) == most {
			list = append(list, "…")
			break
		}
		list = append(list, tool.Name)
	}
	return strings.Join(list, ", ")
}
