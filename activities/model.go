package activities

import (
	"context"
	"encoding/json"
	"fmt"

	"go.temporal.io/sdk/activity"

	"steward/internal/audit"
	"steward/internal/automation"
	"steward/internal/fault"
	"steward/internal/llm"
	"steward/internal/store"
	"steward/internal/tool"
)

// PlanStep asks the model for the next turn and records it with its calls, judged by policy. A turn that
// needs no calls ends the run in the same transaction. It is idempotent per step and Temporal run: an
// answer that was recorded is not paid for twice.
func (r *Run) PlanStep(ctx context.Context, in automation.PlanInput) (automation.PlanResult, error) {
	defer heartbeat(ctx)()
	out, err := r.planStep(ctx, in)
	return out, r.end(ctx, err)
}

func (r *Run) planStep(ctx context.Context, in automation.PlanInput) (automation.PlanResult, error) {
	s := stamp(ctx)
	recorded, err := r.db.GetStep(ctx, store.GetStepParams{RunID: in.RunID, Step: int32(in.Step), TemporalRunID: s.TemporalRunID}) //nolint:gosec // bounded by limits
	if err == nil {
		var out automation.PlanResult
		if err := json.Unmarshal(recorded.Result, &out); err != nil {
			return out, fmt.Errorf("decode recorded step: %w", err)
		}
		return out, nil
	} else if !store.IsNoRows(err) {
		return automation.PlanResult{}, fmt.Errorf("read step: %w", err)
	}
	t, err := r.transcript(ctx, in)
	if err != nil {
		return automation.PlanResult{}, err
	}
	if over := t.overBudget(in.Tokens); over != nil {
		return automation.PlanResult{Final: *over}, nil
	}
	res, err := r.ask(ctx, in, s, t)
	if err != nil {
		return automation.PlanResult{}, err
	}
	return r.record(ctx, in, s, t, res)
}

type modelBody struct {
	tool.Stamp
	Step       int               `json:"step"`
	Provider   string            `json:"provider"`
	Model      string            `json:"model"`
	ResponseID string            `json:"response_id,omitempty"`
	Status     string            `json:"status,omitempty"`
	Calls      int               `json:"calls,omitempty"`
	Usage      *automation.Usage `json:"usage,omitempty"`
	Code       string            `json:"code,omitempty"`
	Reason     string            `json:"reason,omitempty"`
}

// ask writes the intent, sends the request, and records a failure.
func (r *Run) ask(ctx context.Context, in automation.PlanInput, s tool.Stamp, t *transcript) (*llm.Response, error) {
	key := fmt.Sprintf("%d/%d", in.Step, s.Attempt)
	about := modelBody{Stamp: s, Step: in.Step, Provider: r.model.Provider(), Model: t.run.Model}
	err := r.db.Tx(ctx, func(q *store.Queries) error {
		err := q.InsertModelCall(ctx, store.InsertModelCallParams{RunID: in.RunID, Step: int32(in.Step), TemporalRunID: s.TemporalRunID, Attempt: s.Attempt}) //nolint:gosec // bounded by limits
		if err != nil {
			return fmt.Errorf("record model call: %w", err)
		}
		if err := r.setState(ctx, q, in.RunID, automation.Running, in.Seq, s); err != nil {
			return err
		}
		return r.audit(ctx, q, in.RunID, s, audit.ModelCalled, key, about)
	})
	if err != nil {
		return nil, err
	}
	req := t.request(in.Tokens)
	req.RequestID = fmt.Sprintf("run/%d/%d/%d", in.RunID, in.Step, s.Attempt)
	res, err := r.model.Respond(ctx, req)
	if err == nil {
		return res, nil
	}
	about.Code, about.Reason = fault.CodeOf(failure(err)), fault.Text(err)
	if e := asModelError(err); e != nil {
		about.Code, about.Reason = e.Code, e.Message
	}
	ctx = context.WithoutCancel(ctx)
	recordErr := r.db.Tx(ctx, func(q *store.Queries) error {
		err := q.EndModelCall(ctx, store.EndModelCallParams{
			RunID: in.RunID, Step: int32(in.Step), TemporalRunID: s.TemporalRunID, Attempt: s.Attempt, Status: "failed", Usage: json.RawMessage("{}"), //nolint:gosec // bounded by limits
		})
		if err != nil {
			return fmt.Errorf("record failed model call: %w", err)
		}
		return r.audit(ctx, q, in.RunID, s, audit.ModelFailed, key, about)
	})
	if recordErr != nil {
		activity.GetLogger(ctx).Warn("failed model call not recorded", "error", recordErr)
	}
	return nil, err
}

// record writes the turn, its calls and questions, the usage and the state in one transaction.
func (r *Run) record(ctx context.Context, in automation.PlanInput, s tool.Stamp, t *transcript, res *llm.Response) (automation.PlanResult, error) {
	ctx = context.WithoutCancel(ctx) // the answer is paid for
	out := automation.PlanResult{Tokens: res.Usage.TotalTokens, Final: final(res)}
	if !res.Usage.Known {
		out.Tokens = t.estimate + llm.EstimateTokens(sizeOf(res.Items))
	}
	items, err := json.Marshal(res.Items)
	if err != nil {
		return out, fmt.Errorf("encode transcript: %w", err)
	}
	sealed, err := r.ring.Seal(itemsBinding(t.run, in.Step), items)
	if err != nil {
		return out, err
	}
	usage, err := json.Marshal(res.Usage)
	if err != nil {
		return out, fmt.Errorf("encode usage: %w", err)
	}
	err = r.db.Tx(ctx, func(q *store.Queries) error {
		step := int32(in.Step) //nolint:gosec // bounded by limits
		if err := q.SupersedeSteps(ctx, store.SupersedeStepsParams{RunID: in.RunID, Step: step, TemporalRunID: s.TemporalRunID}); err != nil {
			return fmt.Errorf("supersede steps: %w", err)
		}
		if err := q.SupersedeCalls(ctx, store.SupersedeCallsParams{RunID: in.RunID, Step: step}); err != nil {
			return fmt.Errorf("supersede calls: %w", err)
		}
		var err error
		out.Calls, err = r.executor.Plan(ctx, q, tool.Turn{Run: t.run, Catalogue: t.catalogue, Step: in.Step, Stamp: s}, res.Calls)
		if err != nil {
			return err
		}
		doc, err := json.Marshal(out)
		if err != nil {
			return fmt.Errorf("encode step: %w", err)
		}
		err = q.InsertStep(ctx, store.InsertStepParams{
			RunID: in.RunID, Step: step, TemporalRunID: s.TemporalRunID, ResponseID: res.ID, ItemsSealed: sealed, Result: doc, Usage: usage,
		})
		if err != nil {
			return fmt.Errorf("record step: %w", err)
		}
		err = q.EndModelCall(ctx, store.EndModelCallParams{
			RunID: in.RunID, Step: step, TemporalRunID: s.TemporalRunID, Attempt: s.Attempt, Status: "answered", ResponseID: res.ID, Usage: usage,
		})
		if err != nil {
			return fmt.Errorf("record model answer: %w", err)
		}
		if err := r.addUsage(ctx, q, t.run, in.Step, res.Usage); err != nil {
			return err
		}
		err = r.audit(ctx, q, in.RunID, s, audit.ModelAnswered, fmt.Sprintf("%d/%d", in.Step, s.Attempt), modelBody{
			Stamp: s, Step: in.Step, Provider: r.model.Provider(), Model: res.Model, ResponseID: res.ID, Status: res.Status,
			Calls: len(res.Calls), Usage: &res.Usage,
		})
		if err != nil {
			return err
		}
		if out.Final.State != "" {
			return r.finish(ctx, q, t.run, s, in.Seq+1, out.Final, Output{Text: res.Text, Refusal: res.Refusal})
		}
		if waits(out.Calls) {
			return r.setState(ctx, q, in.RunID, automation.WaitingForApproval, in.Seq+1, s)
		}
		return nil
	})
	return out, err
}

func waits(calls []automation.PlannedCall) bool {
	for _, c := range calls {
		if c.Decision != "" {
			return true
		}
	}
	return false
}
