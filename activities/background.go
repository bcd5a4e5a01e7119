package activities

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"go.temporal.io/sdk/temporal"

	"steward/internal/audit"
	"steward/internal/automation"
	"steward/internal/llm"
	"steward/internal/spending"
	"steward/internal/store"
)

// A request goes to the background wherever the provider has one, whatever the model: the second that polling may
// cost is worth less than an answer that would be paid for twice.

// awaitStep waits for the answer to the request that the provider has accepted for this step, and records its turn.
// An attempt that follows a killed one polls the same response. A response that is gone or has failed is closed, and
// the attempt after this one asks anew: a request of its own, charged as one.
func (r *Run) awaitStep(ctx context.Context, a *attempt) (automation.PlanResult, error) {
	row, err := r.accepted(ctx, a)
	if err != nil {
		return automation.PlanResult{}, err
	}
	if a.pending = ""; row == nil { // another attempt, a zombie, has closed it
		return r.planStep(ctx, a)
	}
	res, err := r.model.Await(ctx, row.ResponseID, a.doing.say)
	if err != nil {
		return r.lost(ctx, a, sentAs(row), row.ResponseID, err)
	}
	t, err := r.transcript(ctx, a.in)
	if err != nil {
		return automation.PlanResult{}, err
	}
	return r.record(ctx, a, t, sentAs(row), res)
}

// accepted is the request of this step that the provider works on, nil if there is none.
func (r *Run) accepted(ctx context.Context, a *attempt) (*store.ModelCall, error) {
	row, err := r.db.FindAcceptedModelCall(ctx, store.FindAcceptedModelCallParams{
		RunID: a.in.RunID, Step: a.step(), TemporalRunID: a.stamp.TemporalRunID,
	})
	if store.IsNoRows(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read model calls: %w", err)
	}
	return row, nil
}

// accept stores the id of a request as soon as the provider has taken it: until then it is not known anywhere.
func (r *Run) accept(ctx context.Context, a *attempt, s sent, id string) error {
	return r.keep(ctx, func(ctx context.Context, q *store.Queries) error {
		err := q.AcceptModelCall(ctx, store.AcceptModelCallParams{
			RunID: s.call.RunID, Step: s.call.Step, TemporalRunID: s.call.TemporalRunID, ActivityID: s.call.ActivityID,
			Attempt: s.call.Attempt, Request: s.call.Request, ResponseID: id,
		})
		if err != nil {
			return fmt.Errorf("record accepted model call: %w", err)
		}
		return r.audit(ctx, q, a.in.RunID, a.stamp, audit.ModelAccepted, a.key(), modelBody{
			Stamp: a.stamp, Step: a.in.Step, Provider: r.model.Provider(), Model: s.model, ResponseID: id,
		})
	})
}

// found records that this attempt made no request because there is one already.
func (r *Run) found(ctx context.Context, a *attempt, row *store.ModelCall) error {
	return r.audit(ctx, r.db.Queries, a.in.RunID, a.stamp, audit.ModelFound, a.key(), modelBody{
		Stamp: a.stamp, Step: a.in.Step, Provider: row.Provider, Model: row.Model, ResponseID: row.ResponseID,
	})
}

// lost decides what an Await without a response means. A cancelled run's response is cancelled with it; a dead one
// is closed, so that the next attempt asks anew; trouble on the way leaves it as it is, to be polled again.
func (r *Run) lost(ctx context.Context, a *attempt, s sent, id string, why error) (automation.PlanResult, error) {
	none := automation.PlanResult{}
	if temporal.IsCanceledError(context.Cause(ctx)) {
		r.stop(ctx, id)
		return none, why
	}
	e := asModelError(why)
	switch {
	case e == nil:
		return none, why
	case e.Code == llm.CodeTooLong:
		return r.askShorter(ctx, a, r.failed(ctx, a, s, why, true))
	case e.Code == llm.CodeConnector:
		return r.hostedLost(ctx, a, r.failed(ctx, a, s, why, true))
	case e.Code == llm.CodeGone: // it may have been answered and paid for
		again := *e
		again.Retryable = true
		return none, r.failed(ctx, a, s, &again, true)
	case e.Status == http.StatusOK && e.Code != llm.CodeBadResponse, // the provider's own word that it failed
		e.Code == llm.CodeBadResponse && a.stamp.Attempt >= maxModel: // what it wrote cannot be used
		return none, r.failed(ctx, a, s, why, true)
	}
	return none, why
}

// cancelTime bounds the request that cancels a response.
const cancelTime = 10 * time.Second

// stop asks the provider to end a response. If it cannot be told, the response ends by itself.
func (r *Run) stop(ctx context.Context, id string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cancelTime)
	defer cancel()
	if err := r.model.Cancel(ctx, id); err != nil {
		r.log.InfoContext(ctx, "response not cancelled", "response", id, "error", err)
	}
}

// settleAccepted closes the requests that a run leaves with the provider when it ends: what has been answered
// meanwhile is charged as used, the rest is cancelled and stays charged as set aside.
func (r *Run) settleAccepted(ctx context.Context, runID int64) error {
	rows, err := r.db.ListAcceptedModelCalls(ctx, runID)
	if err != nil {
		return fmt.Errorf("read model calls: %w", err)
	}
	for _, row := range rows {
		s := sentAs(row)
		look, cancel := context.WithTimeout(ctx, cancelTime)
		res, done, err := r.model.Retrieve(look, row.ResponseID)
		cancel()
		if err == nil && !done {
			r.stop(ctx, row.ResponseID)
		}
		err = r.keep(ctx, func(ctx context.Context, q *store.Queries) error {
			if err != nil || !done {
				return r.spending.Keep(ctx, q, s.call, s.grant)
			}
			_, settled := r.spending.Settle(ctx, q, s.call, spending.Settlement{
				Status: "answered", ResponseID: row.ResponseID, Model: res.Model, Tier: res.Tier, Usage: res.Usage, Otherwise: s.grant.Tokens,
			})
			return settled
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func sentAs(row *store.ModelCall) sent {
	return sent{
		model: row.Model,
		call: spending.Call{
			RunID: row.RunID, Step: row.Step, TemporalRunID: row.TemporalRunID, ActivityID: row.ActivityID,
			Attempt: row.Attempt, Request: row.Request,
		},
		grant: spending.Grant{Tokens: row.ChargedTokens, MicroUSD: row.ChargedMicroUSD, CostKnown: row.CostKnown, Bounded: row.Bounded},
	}
}
