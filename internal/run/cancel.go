package run

import (
	"context"
	"fmt"

	"steward/internal/audit"
	"steward/internal/auth"
	"steward/internal/automation"
	"steward/internal/fault"
	"steward/internal/store"
)

// Cancel records the wish and passes it on to the workflow, which ends what is in flight and says for
// each effect whether it is done, not done or unknown. It is idempotent; a finished run is a Conflict.
func (s *Service) Cancel(ctx context.Context, p auth.Principal, runID int64) (*store.AutomationRun, error) {
	var row *store.AutomationRun
	err := s.db.Tx(ctx, func(q *store.Queries) error {
		var err error
		row, err = q.RequestCancel(ctx, store.RequestCancelParams{ID: runID, Owner: p.Owner, Actor: p.Actor})
		if store.IsNoRows(err) {
			return s.whyNot(ctx, q, p.Owner, runID)
		}
		if err != nil {
			return fmt.Errorf("request cancel: %w", err)
		}
		_, err = audit.Append(ctx, q, audit.Event{
			Chain: automation.AuditChain(runID), Key: "cancel", Kind: audit.CancelRequested, Actor: p.Actor,
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	if row.DispatchedAt != nil { // otherwise the workflow finds the wish when it begins
		if err := s.deliverCancel(ctx, runID, row.WorkflowID); err != nil {
			s.log.WarnContext(ctx, "cancel not delivered yet", "run", runID, "error", err)
		}
	}
	return row, nil
}

// whyNot tells a finished run from one that is not there.
func (s *Service) whyNot(ctx context.Context, q *store.Queries, owner string, runID int64) error {
	row, err := q.GetRun(ctx, store.GetRunParams{ID: runID, Owner: owner})
	if store.IsNoRows(err) {
		return fault.New(fault.NotFound, "run not found")
	}
	if err != nil {
		return fmt.Errorf("read run: %w", err)
	}
	return fault.New(fault.Conflict, "the run has ended: %s", row.State).WithCode("run_ended")
}

func (s *Service) deliverCancel(ctx context.Context, runID int64, workflowID string) error {
	ctx, cancel := context.WithTimeout(ctx, temporalTimeout)
	defer cancel()
	if err := s.temporal.CancelWorkflow(ctx, workflowID, ""); err != nil && !isGone(err) {
		return fmt.Errorf("cancel workflow: %w", err)
	}
	if err := s.db.MarkCancelDelivered(ctx, runID); err != nil {
		return fmt.Errorf("mark cancel delivered: %w", err)
	}
	return nil
}
