package client

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"steward/api"
	"steward/internal/audit"
	"steward/internal/tool"
)

// explain adds to an event what a person needs to act on it: where to consent, when it goes on without anybody, why
// a call is asked about. Events hold none of that; the run as it is now does. What was settled since needs no words.
func (c *Client) explain(ctx context.Context, id int64, e api.RunEvent, t *Timeline) error {
	if e.Kind != audit.DecisionAsked && e.Kind != audit.RunParked {
		return nil
	}
	var f facts
	if err := json.Unmarshal(e.Body, &f); err != nil {
		return fmt.Errorf("decode event %d: %w", e.Seq, err)
	}
	run, err := c.Run(ctx, id)
	if err != nil {
		return err
	}
	var notes []string
	switch {
	case e.Kind == audit.DecisionAsked:
		notes = why(run, f.Decision)
	case run.State == f.State && run.Waiting != nil:
		notes = wait(run.Waiting)
	}
	for _, text := range notes {
		if err := t.note(text); err != nil {
			return err
		}
	}
	return nil
}

// wait says what ends a wait.
func wait(w *api.Waiting) []string {
	var notes []string
	if w.URL != "" {
		notes = append(notes, "consent at "+w.URL)
	}
	if w.RetryAt != nil {
		notes = append(notes, "tried again at "+w.RetryAt.Local().Format(time.DateTime))
	}
	return notes
}

// why says why the open question of that id was asked.
func why(run *api.Run, decision string) []string {
	i := slices.IndexFunc(run.ToolCalls, func(c api.ToolCall) bool { return c.Question != nil && c.Question.ID == decision })
	if i < 0 {
		return nil
	}
	return Reasons(run.ToolCalls[i].Question)
}

// Reasons says in lines what a question rests on: the rules, the answers that taint it, whom it would reach.
func Reasons(q *api.Question) []string {
	var lines []string
	named := false // the sources, by the rule about them
	for _, r := range q.Explanation.Rules {
		named = named || r.Code == tool.RuleTainted
		lines = append(lines, fmt.Sprintf("because of %s: %s", r.Code, r.Text))
	}
	if q.Explanation.Flagged != "" {
		lines = append(lines, "hidden in the tool's description: "+q.Explanation.Flagged)
	}
	if len(q.Explanation.Tainted) > 0 && !named {
		lines = append(lines, "after answers of "+strings.Join(q.Explanation.Tainted, ", "))
	}
	for _, a := range q.Explanation.Addressees {
		who := "known"
		if !a.Known {
			who = "NOT KNOWN"
		}
		lines = append(lines, fmt.Sprintf("reaches %s (%s), %s", a.Value, a.Where, who))
	}
	return lines
}
