package tool

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"steward/internal/automation"
	"steward/internal/fault"
	"steward/internal/registry"
	"steward/internal/store"
)

// sendWindow is how long after its claim an attempt may send without asking the ledger again. A process
// that was stopped (SIGSTOP, a paused machine) finds that it no longer holds the fence.
const sendWindow = time.Second

// unsent and sent are the ledger states from which an answer may be settled.
var (
	unsent = []string{string(automation.CallPlanned), string(automation.CallWaiting)}
	sent   = []string{string(automation.CallClaimed), string(automation.CallUnknown)}
)

func (x *Executor) send(ctx context.Context, c *call) (automation.CallResult, error) {
	d, err := x.deliveryOf(c)
	if err != nil {
		return automation.CallResult{}, err
	}
	callCtx, clock, cancel := timed(ctx, x.limit(c))
	defer cancel()
	d.ask, d.tasks, d.progress, d.given = x.conversation(c, clock).ask, true, c.tell, c.round.given()
	r, err := c.source.send(callCtx, d)
	if lost, ok := errors.AsType[*fault.Error](err); ok && fault.CodeOf(lost) == claimLost {
		return automation.CallResult{}, lost
	}
	if err != nil {
		f := failureOf(err)
		if overdue := context.Cause(callCtx); errors.Is(overdue, errOverdue) {
			f.reason, f.err = "no answer in time", errors.Join(f.err, overdue)
		}
		return x.afterError(ctx, c, f)
	}
	switch {
	case r.task != nil:
		return x.tasked(ctx, c, r.task)
	case r.needs != nil:
		return x.questioned(ctx, c, r.needs)
	}
	return x.settle(ctx, c, r.answer())
}

// limit is how long the call may take: as its owner says, else as the operator does.
func (x *Executor) limit(c *call) time.Duration {
	if c.tool.Timeout > 0 {
		return min(c.tool.Timeout, registry.MaxTimeout)
	}
	return x.timeout
}

// answer is what a reply that is whole settles its call with.
func (r reply) answer() answer {
	a := answer{state: automation.CallDone, text: r.text, isError: r.isError, from: sent}
	if r.isError {
		a.state = automation.CallFailed
	}
	return a
}

// claimLost marks an attempt that no longer holds its call.
const claimLost = "claim_lost"

func (x *Executor) deliveryOf(c *call) (delivery, error) {
	arguments, err := x.ring.Open(ArgumentsBinding(c.row.Owner, c.row.ID), c.row.ArgumentsSealed)
	return delivery{
		id: c.row.ID, arguments: arguments, receipt: c.row.Receipt, lease: c.row.LeaseUntil,
		before: func(ctx context.Context) error { return x.holdsFence(ctx, c) },
		note:   func(ctx context.Context, receipt string) error { return x.note(ctx, c, receipt) },
	}, err
}

// note stores a connector's receipt under the fence of this attempt, before a request that cannot be taken back.
func (x *Executor) note(ctx context.Context, c *call, receipt string) error {
	n, err := x.db.NoteReceipt(ctx, store.NoteReceiptParams{ID: c.row.ID, RunID: c.row.RunID, Fence: c.row.Fence, Receipt: receipt})
	if err != nil {
		return fmt.Errorf("note receipt: %w", err)
	}
	if n == 0 {
		return fault.New(fault.Conflict, "another attempt has this call").WithCode(claimLost)
	}
	c.row.Receipt = receipt
	return nil
}

// holdsFence asks the ledger whether this attempt may still send. It is asked on an open session: a worker
// was stopped while it started the server, another one sent, and the first sent again when it came back.
func (x *Executor) holdsFence(ctx context.Context, c *call) error {
	if time.Since(c.claimed) <= sendWindow {
		return nil
	}
	holds, err := x.db.HoldsFence(ctx, store.HoldsFenceParams{ID: c.row.ID, RunID: c.row.RunID, Fence: c.row.Fence})
	if err != nil || !holds {
		return fault.Wrap(err, fault.Conflict, "another attempt has this call").WithCode(claimLost)
	}
	return nil
}

// afterError decides what a failed exchange means. Only what provably did not run is retried for effects.
func (x *Executor) afterError(ctx context.Context, c *call, f *failure) (automation.CallResult, error) {
	x.log.InfoContext(ctx, "tool call without an answer", "run", c.row.RunID, "call", c.row.ID, "tool", c.tool.Label(), "ran", f.ran, "reason", f.reason)
	if ctx.Err() != nil {
		return x.interrupted(ctx, c, f)
	}
	switch {
	case f.told != "": // the receiver has dealt with the call
		return x.settle(ctx, c, answer{state: automation.CallFailed, text: f.told, isError: true, from: sent})
	case !f.ran:
		if err := x.release(ctx, c, f.reason); err != nil {
			return automation.CallResult{}, err
		}
		return notSent(c, f)
	case c.tool.Class == automation.Effect:
		if errors.Is(f, context.DeadlineExceeded) {
			c.source.drop() // a child that hangs must not act after we have asked what it did
		}
		out, err := x.resolve(ctx, c, f.reason)
		if err == nil && out.State == automation.CallPlanned {
			err = fault.New(fault.Upstream, "%s did not do it: %s", c.tool.Label(), f.reason)
		}
		return out, err
	default: // the claim stays; the next attempt repeats it
		return automation.CallResult{}, fault.Wrap(f.err, fault.Upstream, "%s did not answer: %s", c.tool.Label(), f.reason).WithRetryAfter(f.after)
	}
}

// notSent waits for a consent that is missing, or leaves the call to the next attempt.
func notSent(c *call, f *failure) (automation.CallResult, error) {
	if f.need != nil {
		return park(c, f.need), nil //nolint:nilerr // the failure is told by the park
	}
	return automation.CallResult{}, fault.Wrap(f.err, fault.Upstream, "%s could not be reached: %s", c.tool.ServerName, f.reason).WithRetryAfter(f.after)
}

// interrupted settles a call whose activity was cancelled or paused: the person is told what is known.
func (x *Executor) interrupted(ctx context.Context, c *call, f *failure) (automation.CallResult, error) {
	cause := context.Cause(ctx)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
	defer cancel()
	if !f.ran || c.tool.Class == automation.Read {
		return x.settle(ctx, c, answer{state: automation.CallCancelled, text: "cancelled", isError: true, from: sent})
	}
	c.source.drop()
	return x.resolve(ctx, c, fmt.Sprintf("interrupted: %v", cause))
}

// ShownToModel is the function_call_output of a settled call.
func (x *Executor) ShownToModel(row *store.ListCallsBeforeRow) (string, error) {
	body := row.Reason
	if len(row.ResultSealed) > 0 {
		plain, err := x.ring.Open(ResultBinding(row.Owner, row.ID), row.ResultSealed)
		if err != nil {
			return "", err
		}
		body = string(plain)
	}
	size := int64(len(body))
	if row.IsError {
		doc, err := json.Marshal(map[string]string{"error": body, "outcome": row.State})
		if err != nil {
			return "", fmt.Errorf("encode tool error: %w", err)
		}
		body = string(doc)
	}
	return envelope(row.WorkflowID, row.ServerName+"/"+row.ToolName, row.ID, body, size), nil
}
