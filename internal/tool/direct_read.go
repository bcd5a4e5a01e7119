package tool

import (
	"context"

	"steward/internal/audit"
)

// read makes a call that changes nothing. It has no row, and its audit event is written behind the answer; but it is
// made only when there is room for the event, so that a call without a record cannot be.
func (x *Executor) read(ctx context.Context, c *directCall) (*Done, error) {
	if err := x.direct.reads.reserve(ctx); err != nil {
		return nil, err
	}
	r, err := x.deliver(ctx, c, delivery{
		id: c.id, arguments: c.arguments, progress: c.Progress,
		before: func(context.Context) error { return nil },
		note:   func(context.Context, string) error { return nil },
	}, nil)
	x.direct.reads.put(func() audit.Event { return x.readEvent(c, r, err) })
	if err == nil {
		return &Done{CallID: c.id, Text: r.text, Result: r.result, IsError: r.isError}, nil
	}
	f := failureOf(err)
	if f.told != "" {
		return &Done{CallID: c.id, Text: f.told, IsError: true}, nil
	}
	x.log.InfoContext(ctx, "direct call without an answer", "call", c.id, "tool", c.tool.Label(), "reason", f.reason, "error", f.err)
	return nil, notDone(c, f)
}
