package audit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"steward/internal/automation"
	"steward/internal/store"
)

// Activity is one activity execution as Temporal's history tells it.
type Activity struct {
	TemporalRunID string
	ActivityID    string
	Type          string
	Attempt       int32 // of the last start in the history, 0 while it is pending
	Completed     bool
}

// HistorySource lists the activities of every Temporal run of a workflow id, each once: after a Reset the
// copied ones belong to the run that did them. The error is ErrHistoryGone when retention has passed.
type HistorySource func(ctx context.Context, workflowID string) ([]Activity, error)

// ErrHistoryGone says that Temporal no longer keeps the history of a workflow, or of a part of it.
var ErrHistoryGone = errors.New("history is no longer kept")

// runPage is how many runs are listed at once.
const runPage = 500

// CheckTemporal compares the audit events of every dispatched run with Temporal's own history: what an
// activity did is recorded, and what is recorded was done by an activity. Runs may go on meanwhile.
func CheckTemporal(ctx context.Context, db *store.DB, history HistorySource) Report {
	start := time.Now()
	r := Report{Findings: []Finding{}}
	err := eachRun(ctx, db, func(run *store.ListRunWorkflowsRow) error {
		return checkRun(ctx, db, history, run, &r)
	})
	if err != nil {
		r.unsure("the comparison with Temporal did not end: %v", err)
	}
	r.Elapsed = time.Since(start)
	return r
}

func eachRun(ctx context.Context, db *store.DB, fn func(*store.ListRunWorkflowsRow) error) error {
	for after := int64(0); ; {
		page, err := db.ListRunWorkflows(ctx, store.ListRunWorkflowsParams{AfterID: after, PageSize: runPage})
		if err != nil {
			return fmt.Errorf("list runs: %w", err)
		}
		for _, run := range page {
			if err := fn(run); err != nil {
				return err
			}
			after = run.ID
		}
		if len(page) < runPage {
			return nil
		}
	}
}

func checkRun(ctx context.Context, db *store.DB, history HistorySource, run *store.ListRunWorkflowsRow, r *Report) error {
	chain := automation.AuditChain(run.ID)
	// Events before the history and again after it: an activity that runs just now is then never missed
	// in the one or accused in the other.
	before, err := readTraces(ctx, db, chain)
	if err != nil {
		return err
	}
	activities, err := history(ctx, run.WorkflowID)
	if errors.Is(err, ErrHistoryGone) {
		r.Forgotten++
		return nil
	}
	if err != nil {
		return fmt.Errorf("history of run %d: %w", run.ID, err)
	}
	after, err := readTraces(ctx, db, chain)
	if err != nil {
		return err
	}
	r.Chains++
	r.Events += int64(len(after))
	r.Activities += int64(len(activities))
	explain(chain, before, activities, r)
	demand(chain, after, activities, r)
	return nil
}

// trace is an audit event that an activity left.
type trace struct {
	seq           int64
	kind          string
	TemporalRunID string           `json:"temporal_run_id"`
	ActivityID    string           `json:"activity_id"`
	Attempt       int32            `json:"attempt"`
	State         automation.State `json:"state"` // of run.finished
}

var traceKinds = []string{
	ModelCalled, ModelAnswered, ModelFailed, ModelAccepted, ModelFound, ModelRefused, ModelDeferred,
	ToolRefused, ToolClaimed, ToolResumed, ToolSettled, ToolReleased, ToolDeferred, ToolPaused, ToolPolled, RunParked, RunFinished,
}

func readTraces(ctx context.Context, db *store.DB, chain string) ([]trace, error) {
	rows, err := db.ListAuditKind(ctx, store.ListAuditKindParams{Chain: chain, Kinds: traceKinds})
	if err != nil {
		return nil, fmt.Errorf("read audit events: %w", err)
	}
	traces := make([]trace, len(rows))
	for i, row := range rows {
		if err := json.Unmarshal([]byte(row.Body), &traces[i]); err != nil {
			return nil, fmt.Errorf("event %d of %s: %w", row.Seq, chain, err)
		}
		traces[i].seq, traces[i].kind = row.Seq, row.Kind
	}
	return traces, nil
}
