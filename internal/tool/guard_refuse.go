package tool

import (
	"context"
	"fmt"

	"steward/internal/audit"
	"steward/internal/automation"
	"steward/internal/fault"
	"steward/internal/store"
)

// refuse records a call that is never sent; the refusal is its answer.
func (x *Executor) refuse(ctx context.Context, q *store.Queries, t Turn, d draft) (automation.PlannedCall, error) {
	reason := Clean(fault.Text(d.refusal.why), 1000)
	row := d.row
	row.State, row.IsError, row.Reason = string(automation.CallFailed), true, reason
	if d.canonical == nil {
		d.canonical = []byte("{}")
	}
	var err error
	if row.ArgumentsSealed, err = x.ring.Seal(ArgumentsBinding(row.Owner, row.ID), d.canonical); err != nil {
		return automation.PlannedCall{}, err
	}
	if row.ResultSealed, err = x.ring.Seal(ResultBinding(row.Owner, row.ID), []byte(reason)); err != nil {
		return automation.PlannedCall{}, err
	}
	row.ResultBytes = int64(len(reason))
	got, err := q.InsertCall(ctx, row)
	if err != nil {
		return automation.PlannedCall{}, fmt.Errorf("record refused call: %w", err)
	}
	if !got.Inserted {
		return x.adopt(ctx, q, t, d, got)
	}
	body := d.body(t, got.ID)
	body.Reason, body.Rules = reason, []Code{d.refusal.code}
	err = x.audit(ctx, q, t.Run.ID, t.Stamp, audit.ToolRefused, got.ID+"/refused", body)
	return automation.PlannedCall{ID: got.ID, Tool: body.Tool, Class: body.Class, Settled: true}, err
}

// adopt takes over a call that the ledger had before a Reset: what happened to it stands.
func (x *Executor) adopt(ctx context.Context, q *store.Queries, t Turn, d draft, got *store.InsertCallRow) (automation.PlannedCall, error) {
	out := automation.PlannedCall{ID: got.ID, Tool: d.row.ServerName + "/" + d.row.ToolName, Class: automation.Class(d.row.Class)}
	if got.Digest != d.row.Digest {
		return out, fault.New(fault.Internal, "the model used the id of an earlier call for another one").WithCode("call_id_reused")
	}
	if out.Settled = automation.CallState(got.State).Settled(); !out.Settled {
		out.Session = d.tool.session()
	}
	if automation.CallState(got.State) != automation.CallWaiting || got.Attempts > 0 { // sent before, it waits for what a server asks
		return out, nil
	}
	open, err := q.OpenDecision(ctx, got.ID)
	if store.IsNoRows(err) { // decided on the old branch: an effect is not fired again without a fresh approval
		r := &ruling{}
		r.ask(RuleReset, "the run was reset: an earlier approval does not count any more")
		out.Decision, err = x.ask(ctx, q, d.question(t, got.ID, r))
		return out, err
	}
	if err != nil {
		return out, fmt.Errorf("read open question: %w", err)
	}
	out.Decision = open.ID
	return out, nil
}
