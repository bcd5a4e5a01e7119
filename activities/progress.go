package activities

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"steward/internal/automation"
	"steward/internal/llm"
)

// progress is what a request to the model is doing. It travels with the heartbeats, so that Temporal's own
// pages show it while the activity runs.
type progress struct {
	mu  sync.Mutex
	now Doing
}

// Doing is the details of a heartbeat.
type Doing struct {
	What  string `json:"what"`                   // the last event of a stream, or the status of a response in the background
	Item  string `json:"item,omitempty"`         // the kind of the last item that began or ended
	Chars int    `json:"output_chars,omitempty"` // of the answer so far
}

// watched beats with the progress of a request to the model.
func watched(ctx context.Context) (p *progress, stop func()) {
	p = &progress{now: Doing{What: "preparing"}}
	return p, beat(ctx, func() []any { return []any{p.doing()} })
}

func (p *progress) doing() Doing {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now
}

func (p *progress) say(what string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now = Doing{What: what}
}

func (p *progress) stream(s llm.Progress) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now = Doing{What: s.Event, Item: cmp.Or(s.Item, p.now.Item), Chars: s.OutputChars}
}

// shown is what people are told of a request. The provider's own words for events and items do not go out: what
// we do not know has no name. Nothing is told of an answer that is complete: its audit event says more.
func (p *progress) shown(step int) (now automation.Progress, ok bool) {
	d := p.doing()
	now = automation.Progress{Step: step, Doing: d.word(), Characters: d.Chars}
	if slices.Contains(shownItems, d.Item) {
		now.Item = d.Item
	}
	return now, now.Doing != ""
}

var shownItems = []string{"message", "function_call", "mcp_call", "reasoning"}

func (d Doing) word() string {
	switch d.What {
	case "preparing", "compacting", "queued":
		return d.What
	case "in_progress":
		return "working"
	case "", "response.completed", "response.incomplete", "response.failed", "response.cancelled", "error":
		return ""
	}
	switch {
	case d.Item == "reasoning":
		return "thinking"
	case d.Item == "" && d.Chars == 0:
		return "waiting"
	}
	return "writing"
}
