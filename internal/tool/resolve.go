package tool

import (
	"context"
	"fmt"
	"time"

	"steward/internal/audit"
	"steward/internal/automation"
	"steward/internal/fault"
	"steward/internal/store"
)

// probeTimeout bounds the question whether a call took effect.
const probeTimeout = 15 * time.Second

// recover finds a claim without a result: the attempt that made it died, or lost its way. A call that may
// be repeated is repeated; for an effect the fence is taken over, so that the earlier attempt can neither
// send nor settle, and the receiver is asked.
func (x *Executor) recover(ctx context.Context, c *call) (automation.CallResult, error) {
	if c.source == nil {
		return x.settle(ctx, c, answer{state: automation.CallUnknown, text: gone, isError: true, from: sent, decide: true})
	}
	if c.tool.Class != automation.Effect {
		return x.claimAndSend(ctx, c)
	}
	if err := x.takeOver(ctx, c); err != nil {
		return automation.CallResult{}, err
	}
	out, err := x.resolve(ctx, c, "the worker that made this call died before it had an answer")
	if err != nil || out.State != automation.CallPlanned {
		return out, err
	}
	return x.claimAndSend(ctx, c)
}

// takeOver fences the earlier attempt out. That is written down: this attempt may be another activity than the one
// that made the claim.
func (x *Executor) takeOver(ctx context.Context, c *call) error {
	return x.db.Tx(ctx, func(q *store.Queries) error {
		row, err := q.TakeOverClaim(ctx, store.TakeOverClaimParams{ID: c.row.ID, RunID: c.row.RunID, SeenFence: c.row.Fence})
		if store.IsNoRows(err) {
			return fault.New(fault.Conflict, "another attempt has this call").WithCode(claimLost)
		}
		if err != nil {
			return fmt.Errorf("take over claim: %w", err)
		}
		c.row = row
		return x.resumed(ctx, q, c)
	})
}

// resumed writes down that this attempt finds out what became of the call.
func (x *Executor) resumed(ctx context.Context, q *store.Queries, c *call) error {
	return x.audit(ctx, q, c.row.RunID, c.stamp, audit.ToolResumed, fmt.Sprintf("%s/%s", claimKey(c.row), c.stamp.ActivityID), pauseBody{
		Stamp: c.stamp, Call: c.row.ID, Step: int(c.row.Step), Tool: c.tool.Label(), Fence: c.row.Fence,
		Reason: "an earlier attempt left it without an answer",
	})
}

// resolve records that the outcome is unknown, asks the receiver, and settles what it learns: done, not
// done (the call is planned again), or unknown, which is left to a person.
func (x *Executor) resolve(ctx context.Context, c *call, why string) (automation.CallResult, error) {
	flagged := answer{state: automation.CallUnknown, text: why, isError: true, from: sent}
	if !c.probes() {
		flagged.decide = true
		flagged.text = why + "; the tool has no way to ask whether it took effect"
		return x.settle(ctx, c, flagged)
	}
	if out, err := x.settle(ctx, c, flagged); err != nil || out.State != automation.CallUnknown {
		return out, err
	}
	return x.settleProbe(ctx, c, why, automation.CallPlanned)
}

// settleProbe asks and settles. notDone says what a call becomes that did not take effect: planned, to be
// sent again, or failed, to be told to the model.
func (x *Executor) settleProbe(ctx context.Context, c *call, why string, notDone automation.CallState) (automation.CallResult, error) {
	p := x.probe(ctx, c)
	if c.row.TaskID != "" { // what its task says is an answer: it is not called again
		notDone = automation.CallFailed
	}
	switch {
	case p.outcome == automation.OutcomeDone:
		return x.settle(ctx, c, answer{state: automation.CallDone, text: p.text, resolvedBy: "probe", from: sent})
	case p.outcome == automation.OutcomeFailed && notDone == automation.CallPlanned:
		err := x.release(ctx, c, "the receiver says that it did not happen")
		return automation.CallResult{State: automation.CallPlanned}, err
	case p.outcome == automation.OutcomeFailed:
		return x.settle(ctx, c, answer{state: automation.CallFailed, text: "checked: it did not happen", isError: true, resolvedBy: "probe", from: sent})
	default:
		return x.settle(ctx, c, answer{state: automation.CallUnknown, text: why + "; " + p.text, isError: true, from: sent, decide: true})
	}
}

// probes says whether there is a way to ask what became of the call: a tool for that, or the server's own task.
func (c *call) probes() bool {
	return c.source != nil && (c.source.probes() || c.row.TaskID != "")
}

func (x *Executor) probe(ctx context.Context, c *call) probed {
	if !c.probes() {
		return cannotTell("there is no way to ask whether it took effect")
	}
	if c.row.TaskID != "" {
		if p, over := x.probeTask(ctx, c); over || !c.source.probes() {
			return p
		}
	}
	d, err := x.deliveryOf(c)
	if err != nil {
		x.log.ErrorContext(ctx, "probe without arguments", "call", c.row.ID, "error", err)
		return cannotTell("the question could not be made")
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), probeTimeout)
	defer cancel()
	return c.source.probe(ctx, d)
}

// unknownResult answers for a call that waits for a person, asking now if nobody was asked yet.
func (x *Executor) unknownResult(ctx context.Context, c *call) (automation.CallResult, error) {
	out := settled(c.row)
	open, err := x.db.OpenDecision(ctx, c.row.ID)
	if store.IsNoRows(err) { // the process died between flagging and probing
		if err := x.resumed(ctx, x.db.Queries, c); err != nil {
			return out, err
		}
		out, err := x.settleProbe(ctx, c, "the worker died while it asked what became of the call", automation.CallPlanned)
		if err != nil || out.State != automation.CallPlanned {
			return out, err
		}
		return x.claimAndSend(ctx, c)
	}
	if err != nil {
		return out, fmt.Errorf("read open question: %w", err)
	}
	out.Decision = open.ID
	return out, x.stands(ctx, c, "a person is asked already what became of the call")
}

// retryUnknown sends again because a person said so, knowing that it may have happened already.
func (x *Executor) retryUnknown(ctx context.Context, c *call) (automation.CallResult, error) {
	if err := x.release(ctx, c, "a person chose to send again"); err != nil {
		return automation.CallResult{}, err
	}
	return x.claimAndSend(ctx, c)
}
