package tool

import (
	"context"
	"fmt"

	"steward/internal/audit"
	"steward/internal/automation"
	"steward/internal/fault"
	"steward/internal/llm"
	"steward/internal/store"
)

// previewBytes caps the redacted arguments shown in lists and audit events.
const previewBytes = 2048

// maxCalls is how many calls of one turn are carried out; the others are refused.
const maxCalls = 32

// Turn is what the model's calls are judged against.
type Turn struct {
	Run       *store.AutomationRun
	Catalogue Catalogue
	Step      int
	Stamp     Stamp
	// Instructions are the owner's own words: what they name is known, whatever a tool says.
	Instructions string
}

// Plan validates the calls of one turn, has the guard judge them and writes them in the ledger, together with
// the questions to a person. It runs in the transaction that records the turn. A call that cannot be made is
// written as failed, with an answer from which the model can learn.
func (x *Executor) Plan(ctx context.Context, q *store.Queries, t Turn, calls []llm.Call) ([]automation.PlannedCall, error) {
	if len(calls) == 0 {
		return []automation.PlannedCall{}, nil
	}
	drafts := x.drafts(t, calls)
	g, err := x.guard(ctx, q, t, drafts)
	if err != nil {
		return nil, err
	}
	planned := make([]automation.PlannedCall, len(drafts))
	for i, d := range drafts {
		if d.refusal == nil && g.repeats(d.row) {
			d.refusal = &refusal{RuleRepeated, fault.New(fault.Invalid,
				"this run has made the same call %d times already: use what it answered, and do not repeat it", maxTimes)}
		}
		if planned[i], err = x.enter(ctx, q, t, g, d); err != nil {
			return nil, err
		}
	}
	return planned, nil
}

// enter writes one call, with the question about it if a person is asked.
func (x *Executor) enter(ctx context.Context, q *store.Queries, t Turn, g *guard, d draft) (automation.PlannedCall, error) {
	if d.refusal != nil {
		return x.refuse(ctx, q, t, d)
	}
	r := g.judge(d.tool, d.canonical)
	if d.tool.Class != automation.Read && !r.waits() {
		made, err := q.WasMadeBeforeReset(ctx, store.WasMadeBeforeResetParams{
			RunID: d.row.RunID, FunctionName: d.row.FunctionName, Digest: d.row.Digest,
		})
		if err != nil {
			return automation.PlannedCall{}, fmt.Errorf("look for the call before a reset: %w", err)
		}
		if made {
			r.ask(RuleReset, "the run was reset, and the same call was made before: it would happen twice")
		}
	}
	if r.waits() {
		d.row.State = string(automation.CallWaiting)
	}
	var err error
	if d.row.ArgumentsSealed, err = x.ring.Seal(ArgumentsBinding(d.row.Owner, d.row.ID), d.canonical); err != nil {
		return automation.PlannedCall{}, err
	}
	got, err := q.InsertCall(ctx, d.row)
	if err != nil {
		return automation.PlannedCall{}, fmt.Errorf("plan call: %w", err)
	}
	if !got.Inserted {
		return x.adopt(ctx, q, t, d, got)
	}
	body := d.body(t, got.ID)
	body.Waits, body.Rules, body.Tainted, body.Unknown, body.Flagged = r.waits(), r.codes(), r.Tainted, r.unknown(), r.Flagged
	if err := x.audit(ctx, q, t.Run.ID, t.Stamp, audit.ToolPlanned, got.ID+"/planned", body); err != nil {
		return automation.PlannedCall{}, err
	}
	out := automation.PlannedCall{ID: got.ID, Tool: d.tool.Label(), Class: d.tool.Class, Session: d.tool.session()}
	if r.waits() {
		out.Decision, err = x.ask(ctx, q, d.question(t, got.ID, r))
	}
	return out, err
}
