package activities

import (
	"context"
	"encoding/json"
	"fmt"

	"steward/internal/audit"
	"steward/internal/automation"
	"steward/internal/store"
	"steward/internal/tool"
)

// PlanStep asks the model for the next turn and records it. Where the provider can work in the background, the id
// of the request is written down as soon as the provider has taken it: the attempt after a killed worker waits for
// the same answer. There is no activity of its own for that: it would make the history of each step half as long
// again.
//
// It is idempotent per step and Temporal run: a turn that was recorded, or a request that was accepted, is not
// paid for twice. What stays is the moment between a provider's yes and our commit of it.
func (r *Run) PlanStep(ctx context.Context, in automation.PlanInput) (automation.PlanResult, error) {
	doing, stop := watched(ctx)
	defer stop()
	a := &attempt{in: in, stamp: stamp(ctx), doing: doing}
	defer r.publish(ctx, a)()
	out, err := r.planStep(ctx, a)
	for err == nil && a.pending != "" {
		out, err = r.awaitStep(ctx, a)
	}
	return r.conclude(ctx, a, out, err)
}

// attempt is one attempt of an activity at one step.
type attempt struct {
	in       automation.PlanInput
	stamp    tool.Stamp
	doing    *progress
	requests int32  // made so far
	pending  string // the response that the provider works on for this step; empty: none
	renewed  bool   // a credential of an MCP server was replaced meanwhile: once is enough
}

func (a *attempt) step() int32 { return int32(a.in.Step) } //nolint:gosec // bounded by limits

func (r *Run) planStep(ctx context.Context, a *attempt) (automation.PlanResult, error) {
	if out, err := r.recorded(ctx, a); err != nil || out != nil {
		return orNothing(out), err
	}
	row, err := r.accepted(ctx, a)
	if err != nil {
		return automation.PlanResult{}, err
	}
	if row != nil {
		a.pending = row.ResponseID
		return automation.PlanResult{}, r.found(ctx, a, row)
	}
	return r.ask(ctx, a)
}

// recorded is the turn of this step, if there is one already.
func (r *Run) recorded(ctx context.Context, a *attempt) (*automation.PlanResult, error) {
	row, err := r.db.GetStep(ctx, store.GetStepParams{RunID: a.in.RunID, Step: a.step(), TemporalRunID: a.stamp.TemporalRunID})
	if store.IsNoRows(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read step: %w", err)
	}
	out := &automation.PlanResult{}
	if err := json.Unmarshal(row.Result, out); err != nil {
		return nil, fmt.Errorf("decode recorded step: %w", err)
	}
	return out, nil
}

// conclude ends the attempt for Temporal.
func (r *Run) conclude(ctx context.Context, a *attempt, out automation.PlanResult, err error) (automation.PlanResult, error) {
	out, err = r.outcome(ctx, a, out, err)
	return out, r.end(ctx, err)
}

// outcome turns what a request ran into, where the run can wait for it or ends by it, into a result.
func (r *Run) outcome(ctx context.Context, a *attempt, out automation.PlanResult, err error) (automation.PlanResult, error) {
	if park := parkFor(err, a.stamp.Attempt); park != nil {
		r.log.InfoContext(ctx, "run is to sleep", "run", a.in.RunID, "step", a.in.Step, "state", park.State, "reason", err)
		return automation.PlanResult{Park: park}, r.audit(ctx, r.db.Queries, a.in.RunID, a.stamp, audit.ModelDeferred, a.key(), modelBody{
			Stamp: a.stamp, Step: a.in.Step, Provider: r.model.Provider(), Code: string(park.State), Reason: park.Waiting.Reason,
		})
	}
	if refused := asRefusal(err); refused != nil { // the run's own limit
		out.Final = automation.Final{State: automation.BudgetExceeded, Code: refused.Code, Message: refused.Message}
		err = nil
	}
	return out, err
}

// refused records that a request was not made, and why.
func (r *Run) refused(ctx context.Context, a *attempt, code, reason string) error {
	return r.audit(ctx, r.db.Queries, a.in.RunID, a.stamp, audit.ModelRefused, a.key(), modelBody{
		Stamp: a.stamp, Step: a.in.Step, Provider: r.model.Provider(), Code: code, Reason: reason,
	})
}

func orNothing(out *automation.PlanResult) automation.PlanResult {
	if out == nil {
		return automation.PlanResult{}
	}
	return *out
}
