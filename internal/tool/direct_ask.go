package tool

import (
	"context"
	"fmt"
	"time"

	"steward/internal/mcpclient"
	"steward/internal/store"
)

// maxAsked bounds what a server may ask in one call outside a run: as many questions as one round may hold.
const maxAsked = 32

// interview is what a server asks a person in the middle of one call outside a run. Whoever makes the call brings a way
// to reach the person; every question goes through here, so that none reaches them as it came (T-03): it passes the
// filter that those of runs pass, and says whose it is. Else it would look like one of ours.
type interview struct {
	*hearing

	x     *Executor
	c     *directCall
	who   func(context.Context, mcpclient.Question) (mcpclient.Answer, error) // asks the person
	held  *claimedDirect                                                      // nil: the call has no claim
	lease time.Time                                                           // of the claim, as it was extended last; zero: never
}

func (x *Executor) interview(c *directCall, held *claimedDirect, k *clock) *interview {
	return &interview{hearing: newHearing(k, maxAsked), x: x, c: c, who: c.Ask, held: held}
}

// ask puts a question to the person while the call's own time stands still. When nobody answers in time, or the
// question is not one that people can be asked, the server is told that nobody did. The error is that of ctx.
func (v *interview) ask(ctx context.Context, q mcpclient.Question) (mcpclient.Answer, error) {
	return v.one(q, func(in Input, left time.Duration) (mcpclient.Answer, error) {
		if err := v.extend(ctx, left); err != nil {
			v.x.log.WarnContext(ctx, "server's question not asked", "call", v.c.id, "error", err)
			return unanswered, ctx.Err()
		}
		asking, cancel := context.WithTimeout(ctx, left)
		defer cancel()
		said, err := v.who(asking, mcpclient.Question{
			Mode: in.Mode, Message: v.c.tool.ServerName + " asks: " + in.Message, Schema: in.Schema, URL: in.URL,
		})
		if err != nil {
			v.x.log.InfoContext(ctx, "server's question not answered", "call", v.c.id, "error", err)
			return unanswered, ctx.Err()
		}
		return said, nil
	})
}

// extend keeps the claim for as long as the person has and the call takes afterwards: nobody else is to find it open.
func (v *interview) extend(ctx context.Context, left time.Duration) error {
	if v.held == nil {
		return nil
	}
	until, err := v.x.db.ExtendDirectLease(ctx, store.ExtendDirectLeaseParams{
		ID: v.held.row.ID, Fence: v.held.row.Fence, Lease: left + directLease(v.c),
	})
	if err != nil {
		return fmt.Errorf("extend lease: %w", err)
	}
	v.lease = until
	return nil
}

// end takes note of until when the call may have been at work.
func (v *interview) end() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if !v.lease.IsZero() {
		v.held.row.LeaseUntil = v.lease
	}
}

// directLease is how long a claim lasts in which nobody is asked.
func directLease(c *directCall) time.Duration { return c.timeout + 5*time.Second }
