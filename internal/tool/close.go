package tool

import (
	"context"
	"fmt"

	"steward/internal/audit"
	"steward/internal/automation"
	"steward/internal/fault"
	"steward/internal/store"
)

// Settle ends a call without sending it: a person denied or skipped it, nobody answered in time, a person
// wants the receiver asked again, or its attempts are used up (no verdict). A call that the model's provider
// makes is claimed here when a person agrees to it. It is idempotent.
func (x *Executor) Settle(ctx context.Context, in automation.CallInput, stamp Stamp) (automation.CallResult, error) {
	c, err := x.load(ctx, in, stamp)
	if err != nil {
		return automation.CallResult{}, err
	}
	state := automation.CallState(c.row.State)
	if state.Settled() {
		return settled(c.row), nil
	}
	switch in.Verdict {
	case automation.Deny, automation.Expired:
		if state == automation.CallUnknown { // nobody answered about an unknown outcome: it stays unknown for ever
			return x.settle(ctx, c, answer{state: automation.CallSkipped, text: "nobody decided in time; whether it took effect is not known", isError: true, from: sent})
		}
		if in.Verdict == automation.Expired && c.round != nil {
			return x.unheard(ctx, c)
		}
		return x.deny(ctx, c)
	case automation.Skip:
		return x.settle(ctx, c, answer{state: automation.CallSkipped, text: "whether it took effect is not known; a person chose to go on without it", isError: true, resolvedBy: "person", from: sent})
	case automation.Check:
		return x.settleProbe(ctx, c, "checked again", automation.CallFailed)
	case automation.Approve, automation.Retry:
		return x.allow(ctx, c)
	default:
		if c.row.ExecutedBy == byProvider {
			return x.doubt(ctx, c)
		}
		return x.abandon(ctx, c)
	}
}

// deny records a refusal; the person's note goes to the model.
func (x *Executor) deny(ctx context.Context, c *call) (automation.CallResult, error) {
	text := "nobody approved the call in time"
	if c.in.Verdict == automation.Deny {
		text = "a person denied the call"
		d, err := x.db.GetDecision(ctx, store.GetDecisionParams{ID: c.in.Decision, RunID: c.in.RunID})
		if err != nil {
			return automation.CallResult{}, fmt.Errorf("read decision: %w", err)
		}
		if d.Note != "" {
			text += ": " + d.Note
		}
	} else if err := x.expire(ctx, c); err != nil {
		return automation.CallResult{}, err
	}
	return x.settle(ctx, c, answer{state: automation.CallDenied, text: text, isError: true, from: unsent})
}

// unheard ends a call whose server asked something that nobody answered in time. A server that holds nothing open is
// told nothing: its call was never complete. A task is asked to end.
func (x *Executor) unheard(ctx context.Context, c *call) (automation.CallResult, error) {
	const text = "nobody answered in time what the server asked"
	if err := x.expire(ctx, c); err != nil {
		return automation.CallResult{}, err
	}
	if c.row.TaskID != "" {
		return x.endTask(ctx, c, text)
	}
	return x.settle(ctx, c, answer{state: automation.CallDenied, text: text, isError: true, from: unsent})
}

// expire closes the question that nobody answered in time.
func (x *Executor) expire(ctx context.Context, c *call) error {
	return x.db.Tx(ctx, func(q *store.Queries) error { return x.lapse(ctx, q, c, c.in.Decision) })
}

// lapse is expire in a transaction, of any question about the call.
func (x *Executor) lapse(ctx context.Context, q *store.Queries, c *call, decision string) error {
	d, err := q.Decide(ctx, store.DecideParams{ID: decision, Owner: c.row.Owner, Verdict: string(automation.Expired), DecidedBy: "worker"})
	if store.IsNoRows(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("expire question: %w", err)
	}
	_, err = audit.Append(ctx, q, audit.Event{
		Chain: automation.AuditChain(c.row.RunID), Key: "decision/" + d.ID, Kind: audit.DecisionMade, Actor: "worker",
		Body: map[string]any{"decision": d.ID, "call": d.Call, "kind": d.Kind, "verdict": d.Verdict, "digest": d.Digest},
	})
	return err
}

// abandon ends a call whose attempts are used up. What was never sent failed; a read without an answer
// failed; anything else is asked about and, if need be, left to a person.
func (x *Executor) abandon(ctx context.Context, c *call) (automation.CallResult, error) {
	reason := c.row.Reason
	if reason == "" {
		reason = "there was no answer"
	}
	failed := answer{state: automation.CallFailed, text: "the call could not be made: " + reason, isError: true, from: unsent}
	switch automation.CallState(c.row.State) {
	case automation.CallPlanned, automation.CallWaiting:
		return x.settle(ctx, c, failed)
	case automation.CallUnknown:
		return x.unknownOnly(ctx, c)
	}
	if c.tool.Class == automation.Read {
		failed.from = sent
		return x.settle(ctx, c, failed)
	}
	if err := x.takeOver(ctx, c); err != nil {
		return automation.CallResult{}, err
	}
	out, err := x.resolve(ctx, c, reason)
	if err != nil || out.State != automation.CallPlanned {
		return out, err
	}
	return x.settle(ctx, c, failed)
}

func (x *Executor) unknownOnly(ctx context.Context, c *call) (automation.CallResult, error) {
	out := settled(c.row)
	open, err := x.db.OpenDecision(ctx, c.row.ID)
	if store.IsNoRows(err) {
		return x.settleProbe(ctx, c, "the outcome was not known", automation.CallFailed)
	}
	if err != nil {
		return out, fmt.Errorf("read open question: %w", err)
	}
	out.Decision = open.ID
	return out, nil
}

// CloseRun settles what a run leaves behind when it ends early: calls that were never sent are cancelled,
// calls without an answer are asked about. Nothing is sent. Unknown stays unknown and says so.
func (x *Executor) CloseRun(ctx context.Context, runID int64, why string, stamp Stamp) error {
	err := x.db.Tx(ctx, func(q *store.Queries) error {
		rows, err := q.CancelPlannedCalls(ctx, store.CancelPlannedCallsParams{RunID: runID, Reason: why})
		if err != nil {
			return fmt.Errorf("cancel planned calls: %w", err)
		}
		for _, r := range rows {
			err := x.audit(ctx, q, runID, stamp, audit.ToolSettled, r.ID+"/cancelled", settleBody{
				Stamp: stamp, Call: r.ID, Step: int(r.Step), Tool: r.ServerName + "/" + r.ToolName, State: automation.CallCancelled, Reason: why,
			})
			if err != nil {
				return err
			}
		}
		return q.CloseOpenDecisions(ctx, store.CloseOpenDecisionsParams{RunID: runID, Note: why})
	})
	if err != nil {
		return err
	}
	open, err := x.db.ListClaimed(ctx, runID)
	if err != nil {
		return fmt.Errorf("list open calls: %w", err)
	}
	for _, row := range open {
		if err := x.closeCall(ctx, row, stamp); err != nil {
			return err
		}
	}
	return nil
}

func (x *Executor) closeCall(ctx context.Context, row *store.ToolCall, stamp Stamp) error {
	c, err := x.load(ctx, automation.CallInput{RunID: row.RunID, ID: row.ID}, stamp)
	if err != nil {
		return err
	}
	if automation.CallState(c.row.State) == automation.CallClaimed {
		if c.row.TaskID != "" {
			_, err := x.endTask(ctx, c, "the run ended before the server's task did")
			return err
		}
		if err := x.takeOver(ctx, c); err != nil {
			if fault.CodeOf(err) == claimLost {
				return nil
			}
			return err
		}
	}
	p := x.probe(ctx, c)
	a := answer{state: automation.CallUnknown, text: "the run ended before the call had an answer; " + p.text, isError: true, from: sent}
	switch p.outcome {
	case automation.OutcomeDone:
		a = answer{state: automation.CallDone, text: p.text, resolvedBy: "probe", from: sent}
	case automation.OutcomeFailed:
		a = answer{state: automation.CallFailed, text: "the run ended; the receiver says that it did not happen", isError: true, resolvedBy: "probe", from: sent}
	}
	_, err = x.settle(ctx, c, a)
	return err
}
