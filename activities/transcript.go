package activities

import (
	"context"
	"encoding/json"
	"fmt"

	"steward/internal/automation"
	"steward/internal/llm"
	"steward/internal/run"
	"steward/internal/secret"
	"steward/internal/store"
	"steward/internal/tool"
)

// transcript is what the model is sent: the request, then each earlier turn with the results of its calls, or
// what they were compacted to. It is read from PostgreSQL each time; the workflow carries none of it.
type transcript struct {
	run          *store.AutomationRun
	limits       automation.Limits
	catalogue    tool.Catalogue
	instructions string // the owner's own words
	items        []json.RawMessage
	shortened    int   // the step at which the turns before were compacted last, 0 if never
	corrected    bool  // the model has been asked for a final answer that fits the output schema
	estimate     int64 // tokens of items and tools, counted by size
	window       int64 // tokens that fit into the model
	used         used

	answers bool     // the last turn asks for approvals, which the next request brings
	hosting *hosting // what the request lets the provider do, in hosted mode
}

// used is what the run has been charged so far.
type used struct{ tokens, microUSD int64 }

func (r *Run) transcript(ctx context.Context, in automation.PlanInput) (*transcript, error) {
	row, err := r.db.GetRunForWorker(ctx, in.RunID)
	if err != nil {
		return nil, fmt.Errorf("read run: %w", err)
	}
	t := &transcript{run: row, window: r.model.Window(row.Model)}
	if err := json.Unmarshal(row.Limits, &t.limits); err != nil {
		return nil, fmt.Errorf("decode limits: %w", err)
	}
	if t.catalogue, err = r.executor.Catalogue(ctx, row.ID); err != nil {
		return nil, err
	}
	instructions, err := r.ring.Open(run.InstructionsBinding(row.Owner, row.WorkflowID), row.InstructionsSealed)
	if err != nil {
		return nil, err
	}
	t.instructions = string(instructions)
	t.items = []json.RawMessage{llm.UserMessage(t.instructions)}
	charged, err := r.db.SumRunCharges(ctx, row.ID)
	if err != nil {
		return nil, fmt.Errorf("sum the run's charges: %w", err)
	}
	t.used = used{max(charged.Tokens, in.Tokens), charged.MicroUSD}
	if err := r.addCompaction(ctx, t, in.Step); err != nil {
		return nil, err
	}
	if in.Step > 1 {
		if err := r.addTurns(ctx, t, in.Step); err != nil {
			return nil, err
		}
	}
	t.measure()
	return t, nil
}

// measure estimates the tokens of what would be sent.
func (t *transcript) measure() {
	size := sizeOf(t.items) + len(systemText)
	for _, c := range t.catalogue.Tools {
		size += len(c.Description) + len(c.InputSchema)
	}
	t.estimate = llm.EstimateTokens(size)
}

// addTurns adds what was said since the last compaction and before a step.
func (r *Run) addTurns(ctx context.Context, t *transcript, before int) error {
	step, from := int32(before), int32(t.shortened) //nolint:gosec // bounded by limits
	steps, err := r.db.ListSteps(ctx, store.ListStepsParams{RunID: t.run.ID, FromStep: from, BeforeStep: step})
	if err != nil {
		return fmt.Errorf("read steps: %w", err)
	}
	calls, err := r.db.ListCallsBefore(ctx, store.ListCallsBeforeParams{RunID: t.run.ID, BeforeStep: step})
	if err != nil {
		return fmt.Errorf("read calls: %w", err)
	}
	for len(calls) > 0 && calls[0].Step < from {
		calls = calls[1:]
	}
	for _, s := range steps {
		items, err := r.turn(t.run, s.Step, s.ItemsSealed)
		if err != nil {
			return err
		}
		t.items = append(t.items, items...)
		asked := calledIn(items)
		t.answers = asked.questions
		for ; len(calls) > 0 && calls[0].Step == s.Step; calls = calls[1:] {
			if !asked.functions[calls[0].CallID] {
				continue // the provider made it: the answer is among its items
			}
			shown, err := r.executor.ShownToModel(calls[0])
			if err != nil {
				return err
			}
			t.items = append(t.items, llm.FunctionOutput(calls[0].CallID, shown))
		}
		if len(t.run.OutputSchema) > 0 && asked.nothing() { // it was meant to be the last turn
			t.items = append(t.items, complaint(t.run.OutputSchema, asked.text))
			t.corrected = true
		}
	}
	return nil
}

// turn opens the output items of one answer.
func (r *Run) turn(row *store.AutomationRun, step int32, sealed []byte) ([]json.RawMessage, error) {
	doc, err := r.ring.Open(itemsBinding(row, int(step)), sealed)
	if err != nil {
		return nil, err
	}
	var items []json.RawMessage
	if err := json.Unmarshal(doc, &items); err != nil {
		return nil, fmt.Errorf("decode transcript: %w", err)
	}
	return items, nil
}

func (t *transcript) hosted() bool { return t.run.Mode == string(automation.ModeProvider) }

func itemsBinding(r *store.AutomationRun, step int) secret.Binding {
	return secret.Binding{Owner: r.Owner, Purpose: "run.step", Ref: fmt.Sprintf("%s/%d", r.WorkflowID, step)}
}
