package run

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"

	"steward/internal/audit"
	"steward/internal/automation"
	"steward/internal/store"
)

// How often what, in a quiet system a handful of index look-ups.
const (
	deliverEvery = time.Second
	compareEvery = 15 * time.Second
	batch        = 100
	lookBack     = 7 * 24 * time.Hour // at the start: Temporal's retention
	overlap      = time.Minute
	patience     = 2 * time.Second // how long the fast path may take before the reconciler steps in
)

// Reconcile delivers what could not be delivered at once (starts, cancels, decisions, wakes) and closes rows whose
// workflow was ended from outside. Any number of processes may run it. It returns when ctx ends.
func (s *Service) Reconcile(ctx context.Context) error {
	deliver, compare := time.NewTicker(deliverEvery), time.NewTicker(compareEvery)
	defer deliver.Stop()
	defer compare.Stop()
	since := time.Now().Add(-lookBack)
	for {
		var err error
		select {
		case <-ctx.Done():
			return nil
		case <-deliver.C:
			err = errors.Join(s.startQueued(ctx), s.deliverCancels(ctx), s.deliverDecisions(ctx))
		case <-compare.C:
			began := time.Now()
			if err = s.closeOrphans(ctx, since); err == nil {
				since = began.Add(-overlap)
			}
			err = errors.Join(err, s.wakeAll(ctx))
			if _, cleanErr := s.db.DeleteExpiredIdempotencyKeys(ctx); cleanErr != nil {
				err = errors.Join(err, fmt.Errorf("delete expired idempotency keys: %w", cleanErr))
			}
		}
		if err != nil && ctx.Err() == nil {
			s.log.WarnContext(ctx, "reconcile", "error", err)
		}
	}
}

// startQueued starts runs that were accepted and not started.
func (s *Service) startQueued(ctx context.Context) error {
	rows, err := s.db.ListUndispatched(ctx, store.ListUndispatchedParams{OlderThan: patience, PageSize: batch})
	if err != nil {
		return fmt.Errorf("list queued runs: %w", err)
	}
	for _, r := range rows {
		if err := s.start(ctx, order{run: r.ID, workflow: r.WorkflowID}); err != nil {
			return err // Temporal is away: the next round tries again
		}
	}
	return nil
}

func (s *Service) deliverCancels(ctx context.Context) error {
	rows, err := s.db.ListUndeliveredCancels(ctx, batch)
	if err != nil {
		return fmt.Errorf("list cancels: %w", err)
	}
	for _, r := range rows {
		if err := s.deliverCancel(ctx, r.ID, r.WorkflowID); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) deliverDecisions(ctx context.Context) error {
	rows, err := s.db.ListUndeliveredDecisions(ctx, store.ListUndeliveredDecisionsParams{OlderThan: patience, PageSize: batch})
	if err != nil {
		return fmt.Errorf("list decisions: %w", err)
	}
	for _, r := range rows {
		d := automation.Decision{ID: r.ID, Call: r.Call, Verdict: automation.Verdict(r.Verdict)}
		if err := s.deliver(ctx, r.WorkflowID, d); err != nil {
			return err
		}
	}
	return nil
}

// closeOrphans closes the rows of workflows that were ended from outside (terminated, timed out, failed):
// those never write their own end. It asks Temporal for what closed since the last look, with an overlap
// because visibility is written a moment after the close.
func (s *Service) closeOrphans(ctx context.Context, since time.Time) error {
	query := fmt.Sprintf("WorkflowType = %q AND CloseTime > %q AND CloseTime < %q AND ExecutionStatus IN ('Terminated', 'TimedOut', 'Failed', 'Canceled')",
		automation.WorkflowRun, since.UTC().Format(time.RFC3339), time.Now().Add(-2*patience).UTC().Format(time.RFC3339))
	var page []byte
	for {
		callCtx, cancel := context.WithTimeout(ctx, temporalTimeout)
		res, err := s.temporal.ListWorkflow(callCtx, &workflowservice.ListWorkflowExecutionsRequest{Query: query, PageSize: batch, NextPageToken: page})
		cancel()
		if err != nil {
			return fmt.Errorf("list ended workflows: %w", err)
		}
		why := map[string]string{}
		for _, e := range res.GetExecutions() {
			why[e.GetExecution().GetWorkflowId()] = "the workflow was ended from outside: " + e.GetStatus().String()
		}
		rows, err := s.db.ListOpenRunsOf(ctx, slices.Collect(maps.Keys(why)))
		if err != nil {
			return fmt.Errorf("list open runs: %w", err)
		}
		for _, r := range rows {
			over, err := s.isOver(ctx, r.WorkflowID)
			if err == nil && over {
				err = s.closeRow(ctx, r, why[r.WorkflowID])
			}
			if err != nil {
				return err
			}
		}
		if page = res.GetNextPageToken(); len(page) == 0 {
			return nil
		}
	}
}

// isOver asks for the latest Temporal run of a workflow: a Reset terminates one run and goes on with another.
func (s *Service) isOver(ctx context.Context, workflowID string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, temporalTimeout)
	defer cancel()
	d, err := s.temporal.DescribeWorkflowExecution(ctx, workflowID, "")
	if err != nil && !isGone(err) {
		return false, fmt.Errorf("describe workflow: %w", err)
	}
	return d.GetWorkflowExecutionInfo().GetStatus() != enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING, nil
}

// closeRow ends a run on the reconciler's word. Calls without an answer stay unknown and visible.
func (s *Service) closeRow(ctx context.Context, r *store.ListOpenRunsOfRow, why string) error {
	return s.db.Tx(ctx, func(q *store.Queries) error {
		n, err := q.FinishRun(ctx, store.FinishRunParams{
			ID: r.ID, State: string(automation.Failed), StateSeq: r.StateSeq + 1, ErrorCode: "workflow_lost", ErrorMessage: why,
		})
		if err != nil || n == 0 {
			return err
		}
		if _, err := q.CancelPlannedCalls(ctx, store.CancelPlannedCallsParams{RunID: r.ID, Reason: why}); err != nil {
			return fmt.Errorf("cancel planned calls: %w", err)
		}
		if err := q.CloseOpenDecisions(ctx, store.CloseOpenDecisionsParams{RunID: r.ID, Note: why}); err != nil {
			return fmt.Errorf("close questions: %w", err)
		}
		_, err = audit.Append(ctx, q, audit.Event{
			Chain: automation.AuditChain(r.ID), Key: "reconciled", Kind: audit.RunFinished, Actor: "reconciler",
			Body: map[string]any{"state": automation.Failed, "status": "error", "code": "workflow_lost", "reason": why},
		})
		return err
	})
}
