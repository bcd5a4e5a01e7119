package activities

import (
	"context"
	"sync"

	"steward/internal/automation"
	"steward/internal/mcpclient"
	"steward/internal/tool"
)

// maxSaid is how much of a server's own words on its progress is passed on, in bytes.
const maxSaid = 200

// calling is how far a tool call has got, by the server's own word. It travels with the heartbeats, and to whoever
// follows the run; it is kept nowhere.
type calling struct {
	mu  sync.Mutex
	now automation.Progress
}

// follow beats, and tells whoever follows the run, with the progress of a call, until stop.
func (r *Run) follow(ctx context.Context, in automation.CallInput) (c *calling, stop func()) {
	c = &calling{now: automation.Progress{Step: in.Step, Call: in.ID}}
	quiet := beat(ctx, c.details)
	silent := r.publishing(ctx, in.RunID, c.shown)
	return c, func() {
		silent()
		quiet()
	}
}

// say takes what the server says.
func (c *calling) say(p mcpclient.Progress) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now.Doing, c.now.Done, c.now.Total, c.now.Message = "calling", p.Done, p.Total, tool.Clean(p.Message, maxSaid)
}

// shown is false while the server has said nothing: that a call is under way, its audit event says.
func (c *calling) shown() (automation.Progress, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now, c.now.Doing != ""
}

func (c *calling) details() []any {
	if now, ok := c.shown(); ok {
		return []any{now}
	}
	return nil
}
