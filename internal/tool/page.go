package tool

import (
	"context"
	"maps"
	"slices"
	"time"

	"steward/internal/automation"
	"steward/internal/mcpclient"
)

// A server of 2025-11-25 may want pages opened before it looks at a call at all (error -32042). It is not told what the
// user says. So a refusal ends the call here: made again it would only ask again. And that a page was opened does not
// say that the user is done with it, which shows when the call is made again.

const (
	unopened   = "the user did not open the page that the server needs"
	unfinished = "the server still waits for the user to finish on the page that was opened for it: make the call again after that"

	pageLeast = time.Second // between two attempts of one call outside a run
	pageMost  = 20 * time.Second
)

// unopened says that a page which the server needs stays closed.
func (r *round) unopened() bool {
	for _, a := range r.Answers {
		if r.Before && a.Action != mcpclient.ActionAccept {
			return true
		}
	}
	return false
}

// pageRefused ends a call whose page a person did not want to open.
func (x *Executor) pageRefused(ctx context.Context, c *call) (automation.CallResult, error) {
	if c.in.Seq > 0 {
		if err := SetState(ctx, x.db.Queries, c.in.RunID, c.in.State, c.in.Seq, c.stamp); err != nil {
			return automation.CallResult{}, err
		}
	}
	return x.settle(ctx, c, answer{state: automation.CallFailed, text: unopened, isError: true, from: unsent})
}

// pages are those that the user has opened for one call outside a run.
type pages struct {
	opened map[string]bool
	pause  time.Duration
}

// lacking is why the call is given up.
func (p *pages) lacking() string {
	if len(p.opened) > 0 {
		return unfinished
	}
	return askedNobody
}

// visit asks for the pages that are new and gives the user time on them; after it the call is made again.
func (p *pages) visit(ctx context.Context, c *directCall, n *mcpclient.Needs) *failure {
	for _, name := range slices.Sorted(maps.Keys(n.Questions)) {
		q := n.Questions[name]
		if p.opened[q.URL] {
			continue
		}
		a, err := c.Ask(ctx, q)
		if err != nil {
			return &failure{told: leftAlone, reason: leftAlone, err: err}
		}
		if a.Action != mcpclient.ActionAccept {
			return &failure{told: unopened, reason: unopened}
		}
		if p.opened == nil {
			p.opened = map[string]bool{}
		}
		p.opened[q.URL] = true
	}
	p.pause = min(max(2*p.pause, pageLeast), pageMost)
	select {
	case <-ctx.Done():
		return &failure{told: unfinished, reason: unfinished, err: ctx.Err()}
	case <-time.After(p.pause):
		return nil
	}
}
