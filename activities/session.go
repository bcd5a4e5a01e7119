package activities

import (
	"context"
	"fmt"

	"go.temporal.io/sdk/activity"

	"steward/internal/audit"
	"steward/internal/automation"
	"steward/internal/store"
	"steward/internal/tool"
)

// settleIn notes that the run's session with a server that keeps state in it lives here from now on. What comes over
// this worker's own queue is at home. If the session lived elsewhere, what the server kept in it may be lost: that is
// written down before the call is sent.
func (r *Run) settleIn(ctx context.Context, in automation.CallInput, s tool.Stamp) error {
	if in.Session == 0 || activity.GetInfo(ctx).TaskQueue == r.queue {
		return nil
	}
	return r.db.Tx(ctx, func(q *store.Queries) error {
		moves, err := q.KeepRunSession(ctx, store.KeepRunSessionParams{RunID: in.RunID, ServerID: in.Session, Worker: r.queue})
		if store.IsNoRows(err) || err == nil && moves == 0 {
			return nil
		}
		if err != nil {
			return fmt.Errorf("note where the session lives: %w", err)
		}
		reason := "another worker opens the session anew: what the server kept in it may be lost"
		if in.Moved {
			reason = "the worker that had the session does not answer; " + reason
		}
		return r.audit(ctx, q, in.RunID, s, audit.SessionMoved, fmt.Sprintf("%d/%d", in.Session, moves), struct {
			tool.Stamp
			Call   string `json:"call"`
			Step   int    `json:"step"`
			Server int64  `json:"server_id"`
			Moves  int32  `json:"moves"`
			Reason string `json:"reason"`
		}{s, in.ID, in.Step, in.Session, moves, reason})
	})
}
