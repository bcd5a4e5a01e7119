package activities

import (
	"context"
	"encoding/json"
	"fmt"

	"steward/internal/audit"
	"steward/internal/automation"
	"steward/internal/llm"
	"steward/internal/secret"
	"steward/internal/spending"
	"steward/internal/store"
	"steward/internal/tool"
)

// A conversation is shortened when it fills so much of the model's window, and by own means down to so much.
const (
	fullPart    = 80 // percent
	shortenPart = 50
)

// full says that the conversation leaves too little room for an answer.
func (t *transcript) full() bool { return t.estimate > t.window*fullPart/100 }

// compacted says that the turns before this very step have been compacted: once is enough.
func (t *transcript) compacted(step int) bool { return t.shortened == step }

type compactBody struct {
	tool.Stamp
	Step   int               `json:"step"`
	By     string            `json:"by"`     // "provider", or "steward": tool results removed
	Before int64             `json:"before"` // tokens, estimated
	After  int64             `json:"after"`
	Usage  *automation.Usage `json:"usage,omitempty"`
}

// compact puts shorter items in the place of the turns so far, for this step and all after it. The provider does
// it where it can; otherwise, or if it fails, the oldest tool results go first. The turns themselves stay, for people.
func (r *Run) compact(ctx context.Context, a *attempt, t *transcript) error {
	about := compactBody{Stamp: a.stamp, Step: a.in.Step, By: "steward", Before: t.estimate}
	if r.model.Features(ctx).Compact {
		items, usage, err := r.compactThere(ctx, a, t)
		if err != nil {
			return err
		}
		if items != nil {
			about.By, about.Usage, t.items = "provider", &usage, items
		}
	}
	if about.By == "steward" {
		t.items = shorten(t.items, int(t.window*shortenPart/100*7/2)) // see llm.EstimateTokens
	}
	t.measure()
	about.After, t.shortened = t.estimate, a.in.Step
	doc, err := json.Marshal(t.items)
	if err != nil {
		return fmt.Errorf("encode compaction: %w", err)
	}
	sealed, err := r.ring.Seal(compactionBinding(t.run, a.in.Step), doc)
	if err != nil {
		return err
	}
	return r.keep(ctx, func(ctx context.Context, q *store.Queries) error {
		err := q.PutCompaction(ctx, store.PutCompactionParams{
			RunID: a.in.RunID, Step: a.step(), TemporalRunID: a.stamp.TemporalRunID, ItemsSealed: sealed,
		})
		if err != nil {
			return fmt.Errorf("store compaction: %w", err)
		}
		return r.audit(ctx, q, a.in.RunID, a.stamp, audit.ModelCompacted, a.key(), about)
	})
}

// compactThere lets the provider shorten the conversation, which is paid for like an answer. No items and no error
// mean that it could not: our own means are left.
func (r *Run) compactThere(ctx context.Context, a *attempt, t *transcript) ([]json.RawMessage, automation.Usage, error) {
	a.doing.say("compacting")
	req := t.request(a.in.Step)
	var err error
	if req.Input, _, err = r.hostedAnswers(ctx, t, req.Input); err != nil {
		return nil, automation.Usage{}, err
	}
	s, err := r.intend(ctx, a, t)
	if err != nil {
		return nil, automation.Usage{}, err
	}
	traced, left := watchLeaving(ctx)
	items, usage, err := r.model.Compact(traced, req)
	if err != nil {
		err = r.failed(ctx, a, s, err, left())
		if e := asModelError(err); e != nil && !e.Retryable {
			return nil, usage, nil
		}
		return nil, usage, err
	}
	err = r.keep(ctx, func(ctx context.Context, q *store.Queries) error {
		usage, err = r.spending.Settle(ctx, q, s.call, spending.Settlement{
			Status: "answered", Model: t.run.Model, Usage: usage, Otherwise: t.estimate + llm.EstimateTokens(sizeOf(items)),
		})
		return err
	})
	return items, usage, err
}

// addCompaction starts the transcript with what the turns before a step were compacted to, if they were.
func (r *Run) addCompaction(ctx context.Context, t *transcript, step int) error {
	row, err := r.db.GetCompaction(ctx, store.GetCompactionParams{RunID: t.run.ID, Step: int32(step)}) //nolint:gosec // bounded by limits
	if store.IsNoRows(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read compaction: %w", err)
	}
	doc, err := r.ring.Open(compactionBinding(t.run, int(row.Step)), row.ItemsSealed)
	if err != nil {
		return err
	}
	t.items, t.shortened = nil, int(row.Step)
	if err := json.Unmarshal(doc, &t.items); err != nil {
		return fmt.Errorf("decode compaction: %w", err)
	}
	return nil
}

func compactionBinding(r *store.AutomationRun, step int) secret.Binding {
	return secret.Binding{Owner: r.Owner, Purpose: "run.compaction", Ref: fmt.Sprintf("%s/%d", r.WorkflowID, step)}
}
