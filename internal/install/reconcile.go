package install

import (
	"context"
	"errors"
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"

	"steward/internal/audit"
	"steward/internal/automation"
	"steward/internal/store"
)

const (
	reconcileEvery = 5 * time.Second
	patience       = 15 * time.Second // how long a change may be silent before it is looked at
	batch          = 100
)

// Reconcile starts changes that were accepted while Temporal was away, and closes those whose workflow was ended from
// outside. Any number of processes may run it. It returns nil when ctx ends.
func (s *Service) Reconcile(ctx context.Context) error {
	tick := time.NewTicker(reconcileEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if err := s.reconcile(ctx, patience); err != nil && ctx.Err() == nil {
				s.log.WarnContext(ctx, "reconcile packages", "error", err)
			}
		}
	}
}

func (s *Service) reconcile(ctx context.Context, silent time.Duration) error {
	rows, err := s.db.ListStalePackageChanges(ctx, store.ListStalePackageChangesParams{OlderThan: silent, PageSize: batch})
	if err != nil {
		return fmt.Errorf("list changes of packages: %w", err)
	}
	for _, r := range rows {
		// What runs is not started again, nor is what has ended; both are the same answer.
		if err := s.start(ctx, r.WorkflowID, beginning(r)); err != nil {
			return err // Temporal is away: the next round tries again
		}
		over, err := s.isOver(ctx, r.WorkflowID)
		if err == nil && over {
			err = s.closeRow(ctx, r)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// beginning is what a change's workflow was, or should have been, started with.
func beginning(r *store.ListStalePackageChangesRow) automation.PackageInput {
	in := automation.PackageInput{PackageID: r.ID, Action: automation.PackageInstall, Version: r.Wanted}
	switch r.Status {
	case Upgrading:
		in.Action = automation.PackageUpgrade
	case Removing:
		in.Action = automation.PackageRemove
	}
	return in
}

func (s *Service) isOver(ctx context.Context, workflowID string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, temporalTimeout)
	defer cancel()
	d, err := s.temporal.DescribeWorkflowExecution(ctx, workflowID, "")
	if _, gone := errors.AsType[*serviceerror.NotFound](err); gone {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("describe workflow: %w", err)
	}
	return d.GetWorkflowExecutionInfo().GetStatus() != enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING, nil
}

// closeRow lets go of a package whose workflow has ended without doing so itself.
func (s *Service) closeRow(ctx context.Context, r *store.ListStalePackageChangesRow) error {
	const why = "the change was ended from outside"
	return s.db.Tx(ctx, func(q *store.Queries) error {
		n, err := q.FailPackage(ctx, store.FailPackageParams{ID: r.ID, WorkflowID: r.WorkflowID, Error: why, ErrorCode: "workflow_lost"})
		if err != nil || n == 0 {
			return err
		}
		return audit.Put(ctx, q, audit.Event{
			Chain: automation.AuditSystem, Key: r.WorkflowID + "/settled", Kind: audit.PackageSettled, Actor: "reconciler",
			Body: map[string]any{"package_id": r.ID, "outcome": "failed", "code": "workflow_lost", "reason": why},
		})
	})
}
