package tool

import (
	"context"
	"errors"
	"maps"
	"slices"

	"steward/internal/fault"
	"steward/internal/mcpclient"
)

// maxRounds is how often a server may come back with questions before it answers.
const maxRounds = 8

// deliver sends a call and answers what the server asks. What the class allows to be repeated is sent once more when
// no answer came. The error is a *failure, or a fault where the claim is lost. The call's time stands still while
// people are asked, who have theirs; held is its claim, nil if it has none.
func (x *Executor) deliver(ctx context.Context, c *directCall, d delivery, held *claimedDirect) (reply, error) {
	most := c.timeout
	if c.Ask != nil {
		most += midwayTime
	}
	ctx, end := context.WithTimeout(ctx, most) // what has no clock of ours goes by the deadline
	defer end()
	ctx, clock, cancel := timed(ctx, c.timeout)
	defer cancel()
	v := x.interview(c, held, clock)
	defer v.end()
	if c.Ask != nil { // from here on nobody can ask past it
		c.Ask, d.ask = v.ask, v.ask
	}
	again := repeats(c.tool.Class)
	var opened pages
	for round := 0; ; {
		r, err := c.source.send(ctx, d)
		switch {
		case err != nil && again && ctx.Err() == nil && worthwhile(err):
			again = false
			continue
		case err != nil:
			return r, overdue(ctx, err)
		case r.task != nil:
			return reply{}, &failure{ran: true, reason: unasked}
		case r.needs == nil:
			return r, nil
		}
		if round++; round > maxRounds || c.Ask == nil {
			why := opened.lacking()
			return reply{}, &failure{told: why, reason: why}
		}
		if r.needs.Before {
			if f := opened.visit(ctx, c, r.needs); f != nil {
				return reply{}, f
			}
			continue
		}
		if d.given, err = answers(ctx, c, r.needs); err != nil {
			return reply{}, &failure{told: leftAlone, reason: leftAlone, err: err}
		}
	}
}

const askedNobody = "the server asks its user something before it goes on, and nobody could be asked here: make the call in a run"

const leftAlone = "the server asks its user something before it goes on, and whoever made the call has gone"

// unasked is what no server may do (SEP-2663). Whether the call takes effect is then its task's to say, and a call
// outside a run has nobody who could go on asking for weeks.
const unasked = "the server went on with a task of its own, which it was not asked to"

// worthwhile says that another attempt may do better: no answer came, and nobody has asked to wait.
func worthwhile(err error) bool {
	f, ok := errors.AsType[*failure](err)
	return ok && f.told == "" && f.need == nil && f.after == 0
}

// overdue says so where a call was ended because its time was up.
func overdue(ctx context.Context, err error) error {
	over := context.Cause(ctx)
	if lostClaim(err) || !errors.Is(over, errOverdue) {
		return err
	}
	f := failureOf(err)
	f.reason, f.err = "no answer in time", errors.Join(f.err, over)
	return f
}

// answers has the questions of one round answered, in the order of their names.
func answers(ctx context.Context, c *directCall, n *mcpclient.Needs) (*mcpclient.Given, error) {
	given := &mcpclient.Given{Answers: make(map[string]mcpclient.Answer, len(n.Questions)), State: n.State}
	for _, name := range slices.Sorted(maps.Keys(n.Questions)) {
		a, err := c.Ask(ctx, n.Questions[name])
		if err != nil {
			return nil, err
		}
		given.Answers[name] = a
	}
	return given, nil
}

// lostClaim says that somebody else has taken the call over.
func lostClaim(err error) bool {
	_, ok := errors.AsType[*fault.Error](err)
	return ok && fault.CodeOf(err) == claimLost
}
