package activities

import (
	"context"
	"errors"
	"fmt"
	"time"

	"steward/internal/audit"
	"steward/internal/automation"
	"steward/internal/oauth"
	"steward/internal/spending"
	"steward/internal/store"
	"steward/internal/tool"
)

// maxModel is how many attempts at a model that is away are made before the run sleeps: half a minute. Attempts
// beyond it are for outages of our own.
const maxModel = 5

// parkFor is what a run waits for after err, nil if waiting is of no use or not yet due.
func parkFor(err error, attempt int32) *automation.Park {
	if need, ok := errors.AsType[*oauth.ConsentError](err); ok { // an MCP server that the provider itself uses
		return &automation.Park{State: automation.WaitingForAuth, Waiting: automation.Waiting{
			Reason: need.Reason, Provider: need.Provider, Scopes: need.Scopes, Version: need.Version,
		}}
	}
	if r := asRefusal(err); r != nil && !r.Until.IsZero() {
		return &automation.Park{State: automation.WaitingForBudget, Retry: time.Until(r.Until), Waiting: automation.Waiting{Reason: r.Message}}
	}
	if e := asModelError(err); e != nil && e.Retryable && attempt >= maxModel {
		return &automation.Park{State: automation.WaitingForModel, Retry: e.RetryAfter, Waiting: automation.Waiting{Reason: e.Message}}
	}
	return nil
}

func asRefusal(err error) *spending.Refusal {
	r, _ := errors.AsType[*spending.Refusal](err)
	return r
}

// ParkRun shows people why a run sleeps, and says whether what it needs has come just before others could see
// that it is needed. It holds nothing: the workflow waits.
func (r *Run) ParkRun(ctx context.Context, in automation.ParkInput) (automation.ParkResult, error) {
	defer heartbeat(ctx)()
	out, err := r.parkRun(ctx, in, stamp(ctx))
	return out, r.end(ctx, err)
}

func (r *Run) parkRun(ctx context.Context, in automation.ParkInput, s tool.Stamp) (automation.ParkResult, error) {
	row, err := r.db.GetRunForWorker(ctx, in.RunID)
	if err != nil {
		return automation.ParkResult{}, fmt.Errorf("read run: %w", err)
	}
	err = r.db.Tx(ctx, func(q *store.Queries) error {
		if err := r.setWaiting(ctx, q, in, s); err != nil {
			return err
		}
		return r.audit(ctx, q, in.RunID, s, audit.RunParked, fmt.Sprint(in.Seq), struct {
			tool.Stamp
			State automation.State `json:"state"`
			automation.Waiting
		}{s, in.Park.State, in.Park.Waiting})
	})
	if err != nil {
		return automation.ParkResult{}, err
	}
	ready, err := r.cameMeanwhile(ctx, row.Owner, in.Park)
	return automation.ParkResult{Ready: ready}, err
}

// cameMeanwhile says whether what a person must do was done before others could see that it must be.
func (r *Run) cameMeanwhile(ctx context.Context, owner string, p automation.Park) (ready bool, err error) {
	switch w := p.Waiting; p.State {
	case automation.WaitingForAuth:
		ready, err = r.db.HasConsent(ctx, store.HasConsentParams{Owner: owner, Provider: w.Provider, Version: w.Version})
	case automation.WaitingForApproval:
		ready, err = r.db.HasReview(ctx, store.HasReviewParams{ServerID: w.Server, Name: w.Tool})
	}
	if err != nil {
		return false, fmt.Errorf("look whether it has come: %w", err)
	}
	return ready, nil
}
