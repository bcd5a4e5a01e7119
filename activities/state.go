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

// setState writes the run's state under the workflow's number; see tool.SetState.
func (r *Run) setState(ctx context.Context, q *store.Queries, runID int64, state automation.State, seq int64, s tool.Stamp) error {
	return tool.SetState(ctx, q, runID, state, seq, s)
}

// setWaiting is setState for a run that sleeps, with what it waits for.
func (r *Run) setWaiting(ctx context.Context, q *store.Queries, in automation.ParkInput, s tool.Stamp) error {
	waiting, err := json.Marshal(in.Park.Waiting)
	if err != nil {
		return fmt.Errorf("encode wait: %w", err)
	}
	e := audit.Event{
		Chain: automation.AuditChain(in.RunID), Key: fmt.Sprintf("%s/%s/%d", s.TemporalRunID, audit.RunState, in.Seq),
		Kind: audit.RunState, Actor: "worker", Body: map[string]any{"state": in.Park.State, "status": in.Park.State.Status()},
	}
	body, err := e.Encode()
	if err != nil {
		return err
	}
	err = q.SetRunState(ctx, store.SetRunStateParams{
		ID: in.RunID, State: string(in.Park.State), StateSeq: in.Seq, Waiting: waiting,
		Chain: e.Chain, EventKey: e.Key, Kind: e.Kind, Actor: e.Actor, Body: body,
	})
	if err != nil {
		return fmt.Errorf("set run state: %w", err)
	}
	return nil
}

// audit appends a fact whose key starts with the Temporal run id: after a Reset the new branch has its own.
func (r *Run) audit(ctx context.Context, q *store.Queries, runID int64, s tool.Stamp, kind, key string, body any) error {
	return audit.Put(ctx, q, audit.Event{
		Chain: automation.AuditChain(runID), Key: s.TemporalRunID + "/" + kind + "/" + key, Kind: kind, Actor: "worker", Body: body,
	})
}
