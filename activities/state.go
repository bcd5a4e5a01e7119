package activities

import (
	"context"

	"steward/internal/audit"
	"steward/internal/automation"
	"steward/internal/store"
	"steward/internal/tool"
)

// setState writes the run's state under the workflow's number; see tool.SetState.
func (r *Run) setState(ctx context.Context, q *store.Queries, runID int64, state automation.State, seq int64, s tool.Stamp) error {
	return tool.SetState(ctx, q, runID, state, seq, s)
}

// audit appends a fact whose key starts with the Temporal run id: after a Reset the new branch has its own.
func (r *Run) audit(ctx context.Context, q *store.Queries, runID int64, s tool.Stamp, kind, key string, body any) error {
	return audit.Put(ctx, q, audit.Event{
		Chain: automation.AuditChain(runID), Key: s.TemporalRunID + "/" + kind + "/" + key, Kind: kind, Actor: "worker", Body: body,
	})
}
