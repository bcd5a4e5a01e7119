package activities

import (
	"context"
	"encoding/json"
	"fmt"

	"steward/internal/audit"
	"steward/internal/automation"
	"steward/internal/llm"
	"steward/internal/spending"
	"steward/internal/store"
	"steward/internal/tool"
)

// record writes the turn, its calls and questions, the usage and the state in one transaction: the account first
// (see spending.Book.Reserve), then the run's row, and the audit events after both.
func (r *Run) record(ctx context.Context, a *attempt, t *transcript, s sent, res *llm.Response) (automation.PlanResult, error) {
	items, err := json.Marshal(res.Items)
	if err != nil {
		return automation.PlanResult{}, fmt.Errorf("encode transcript: %w", err)
	}
	sealed, err := r.ring.Seal(itemsBinding(t.run, a.in.Step), items)
	if err != nil {
		return automation.PlanResult{}, err
	}
	var out automation.PlanResult
	err = r.keep(ctx, func(ctx context.Context, q *store.Queries) error {
		out = automation.PlanResult{Tokens: res.Usage.TotalTokens}
		if !res.Usage.Known {
			out.Tokens = t.estimate + llm.EstimateTokens(sizeOf(res.Items))
		}
		usage, err := r.settle(ctx, q, a, s, res, out.Tokens)
		if err != nil {
			return err
		}
		if err := r.supersede(ctx, q, a); err != nil {
			return err
		}
		final, err := r.plan(ctx, q, a, t, s, res, &out)
		if err != nil {
			return err
		}
		if err := r.putStep(ctx, q, a, res.ID, sealed, out, usage); err != nil {
			return err
		}
		err = r.audit(ctx, q, a.in.RunID, a.stamp, audit.ModelAnswered, a.key(), modelBody{
			Stamp: a.stamp, Step: a.in.Step, Provider: r.model.Provider(), Model: res.Model, ResponseID: res.ID, Status: res.Status,
			Calls: len(res.Calls), Usage: &usage,
		})
		if err != nil {
			return err
		}
		switch {
		case out.Final.State != "":
			return r.finish(ctx, q, t.run, a.stamp, a.in.Seq+1, out.Final, final)
		case waits(out.Calls):
			return r.setState(ctx, q, a.in.RunID, automation.WaitingForApproval, a.in.Seq+1, a.stamp)
		}
		return nil
	})
	return out, err
}

func (r *Run) settle(ctx context.Context, q *store.Queries, a *attempt, s sent, res *llm.Response, otherwise int64) (automation.Usage, error) {
	usage, err := r.spending.Settle(ctx, q, s.call, spending.Settlement{
		Status: "answered", ResponseID: res.ID, Model: res.Model, Tier: res.Tier, Usage: res.Usage, Otherwise: otherwise,
	})
	if err != nil {
		return usage, err
	}
	if err := q.SetRunUsage(ctx, store.SetRunUsageParams{ID: a.in.RunID, Provider: r.model.Provider()}); err != nil {
		return usage, fmt.Errorf("store usage: %w", err)
	}
	return usage, nil
}

// supersede takes back what the branch before a Temporal Reset had from this step on.
func (r *Run) supersede(ctx context.Context, q *store.Queries, a *attempt) error {
	err := q.SupersedeSteps(ctx, store.SupersedeStepsParams{RunID: a.in.RunID, Step: a.step(), TemporalRunID: a.stamp.TemporalRunID})
	if err != nil {
		return fmt.Errorf("supersede steps: %w", err)
	}
	if err := q.SupersedeCalls(ctx, store.SupersedeCallsParams{RunID: a.in.RunID, Step: a.step()}); err != nil {
		return fmt.Errorf("supersede calls: %w", err)
	}
	err = q.DropCompactions(ctx, store.DropCompactionsParams{RunID: a.in.RunID, Step: a.step(), TemporalRunID: a.stamp.TemporalRunID})
	if err != nil {
		return fmt.Errorf("drop compactions: %w", err)
	}
	return nil
}

// plan judges the turn: calls go to the ledger, a last word becomes the run's output.
func (r *Run) plan(ctx context.Context, q *store.Queries, a *attempt, t *transcript, s sent, res *llm.Response, out *automation.PlanResult) (Output, error) {
	turn := tool.Turn{Run: t.run, Catalogue: t.catalogue, Step: a.in.Step, Stamp: a.stamp, Instructions: t.instructions}
	offered := turn
	if t.hosted() {
		offered.Catalogue = tool.Catalogue{} // no functions beside what the provider calls itself
	}
	asked := res.Calls
	if res.Blocked != "" {
		asked = nil
	}
	calls, err := r.executor.Plan(ctx, q, offered, asked)
	if err != nil {
		return Output{}, err
	}
	out.Calls = calls
	final := Output{Text: res.Text, Refusal: res.Refusal}
	out.Final = t.judge(res, s.grant.Bounded, &final)
	if t.hosted() {
		made, err := r.recordHosted(ctx, q, turn, res)
		if err != nil {
			return Output{}, err
		}
		out.Calls = append(out.Calls, made.Calls...)
		out.Final = judgeHosted(made, out.Final)
	}
	final.Partial = out.Final.State == automation.BudgetExceeded
	if out.Final.State != "" {
		final.Text, err = r.executor.FinalText(ctx, q, turn, final.Text)
	}
	return final, err
}

func (r *Run) putStep(ctx context.Context, q *store.Queries, a *attempt, response string, sealed []byte, out automation.PlanResult, u automation.Usage) error {
	result, err := json.Marshal(out)
	if err != nil {
		return fmt.Errorf("encode step: %w", err)
	}
	usage, err := json.Marshal(u)
	if err != nil {
		return fmt.Errorf("encode usage: %w", err)
	}
	err = q.InsertStep(ctx, store.InsertStepParams{
		RunID: a.in.RunID, Step: a.step(), TemporalRunID: a.stamp.TemporalRunID, ResponseID: response, ItemsSealed: sealed, Result: result, Usage: usage,
	})
	if err != nil {
		return fmt.Errorf("record step: %w", err)
	}
	return nil
}

func waits(calls []automation.PlannedCall) bool {
	for _, c := range calls {
		if c.Decision != "" {
			return true
		}
	}
	return false
}
