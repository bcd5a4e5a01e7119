package activities

import (
	"context"
	"encoding/json"
	"fmt"

	"steward/internal/audit"
	"steward/internal/automation"
	"steward/internal/run"
	"steward/internal/store"
	"steward/internal/tool"
)

// Output is what a run leaves its owner.
type Output struct {
	Text    string `json:"text"`
	Refusal string `json:"refusal,omitempty"`
	// Data is the answer as the run's output_schema asks for it.
	Data    json.RawMessage `json:"data,omitempty"`
	Partial bool            `json:"partial,omitempty"` // the run ended before the model was done
}

// Finish closes a run that does not end by a final turn: cancelled, out of budget, failed. Calls that were
// not sent are cancelled; those without an answer are asked about; nothing is sent.
func (r *Run) Finish(ctx context.Context, in automation.FinishInput) error {
	defer heartbeat(ctx)()
	return r.end(ctx, r.close(ctx, in, stamp(ctx)))
}

func (r *Run) close(ctx context.Context, in automation.FinishInput, s tool.Stamp) error {
	row, err := r.db.GetRunForWorker(ctx, in.RunID)
	if err != nil {
		return fmt.Errorf("read run: %w", err)
	}
	if row.FinishedAt != nil {
		return nil
	}
	if err := r.executor.CloseRun(ctx, in.RunID, "the run ended: "+string(in.State), s); err != nil {
		return err
	}
	if err := r.settleAccepted(ctx, in.RunID); err != nil {
		return err
	}
	out, err := r.soFar(ctx, row, s)
	if err != nil {
		return err
	}
	return r.db.Tx(ctx, func(q *store.Queries) error {
		if err := q.SetRunUsage(ctx, store.SetRunUsageParams{ID: in.RunID, Provider: r.model.Provider()}); err != nil {
			return fmt.Errorf("store usage: %w", err)
		}
		return r.finish(ctx, q, row, s, in.Seq, automation.Final{State: in.State, Code: in.Code, Message: in.Message}, out)
	})
}

// soFar is the partial result of a run: what the model said last.
func (r *Run) soFar(ctx context.Context, row *store.AutomationRun, s tool.Stamp) (Output, error) {
	step, err := r.db.GetLastStep(ctx, row.ID)
	if store.IsNoRows(err) {
		return Output{Partial: true}, nil
	}
	if err != nil {
		return Output{}, fmt.Errorf("read last step: %w", err)
	}
	items, err := r.turn(row, step.Step, step.ItemsSealed)
	if err != nil {
		return Output{}, err
	}
	t, err := r.transcript(ctx, automation.PlanInput{RunID: row.ID, Step: 1})
	if err != nil {
		return Output{}, err
	}
	turn := tool.Turn{Run: row, Catalogue: t.catalogue, Step: int(step.Step), Stamp: s, Instructions: t.instructions}
	text, err := r.executor.FinalText(ctx, r.db.Queries, turn, calledIn(items).text)
	return Output{Text: text, Partial: true}, err
}

// finish writes the end of a run: state, output, last audit event.
func (r *Run) finish(ctx context.Context, q *store.Queries, row *store.AutomationRun, s tool.Stamp, seq int64, f automation.Final, out Output) error {
	doc, err := json.Marshal(out)
	if err != nil {
		return fmt.Errorf("encode output: %w", err)
	}
	sealed, err := r.ring.Seal(run.OutputBinding(row.Owner, row.WorkflowID), doc)
	if err != nil {
		return err
	}
	n, err := q.FinishRun(ctx, store.FinishRunParams{
		ID: row.ID, State: string(f.State), StateSeq: seq, OutputSealed: sealed, ErrorCode: f.Code, ErrorMessage: tool.Clean(f.Message, 1000),
	})
	if err != nil {
		return fmt.Errorf("finish run: %w", err)
	}
	if n == 0 {
		return nil
	}
	r.executor.Forget(row.ID)
	return r.audit(ctx, q, row.ID, s, audit.RunFinished, "1", struct {
		tool.Stamp
		State  automation.State `json:"state"`
		Status string           `json:"status"`
		Code   string           `json:"code,omitempty"`
		Reason string           `json:"reason,omitempty"`
	}{s, f.State, f.State.Status(), f.Code, tool.Clean(f.Message, 300)})
}
