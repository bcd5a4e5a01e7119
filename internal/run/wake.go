package run

import (
	"context"
	"errors"
	"fmt"

	"steward/internal/automation"
	"steward/internal/store"
)

// Wake tells the owner's runs that wait for a consent given since that they may try again. A run that is told
// twice, or in vain, goes back to sleep. What cannot be told now is told by the reconciler.
func (s *Service) Wake(ctx context.Context, owner string) error { return s.wake(ctx, &owner) }

// WakeReviewed tells the runs that wait until somebody has looked at a changed tool of the server that this has
// happened; see Wake.
func (s *Service) WakeReviewed(ctx context.Context, server int64) error {
	return s.wakeReviewed(ctx, &server)
}

// wakeAll is both for everybody: a process may die between what a person did and the word of it.
func (s *Service) wakeAll(ctx context.Context) error {
	return errors.Join(s.wake(ctx, nil), s.wakeReviewed(ctx, nil))
}

func (s *Service) wakeReviewed(ctx context.Context, server *int64) error {
	rows, err := s.db.ListRunsWaitingForReview(ctx, store.ListRunsWaitingForReviewParams{ServerID: server, PageSize: batch})
	if err != nil {
		return fmt.Errorf("list runs that wait for a review: %w", err)
	}
	for _, r := range rows {
		if err := s.signalWake(ctx, r.WorkflowID, automation.WaitingForApproval); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) wake(ctx context.Context, owner *string) error {
	rows, err := s.db.ListRunsWaitingForConsent(ctx, store.ListRunsWaitingForConsentParams{Owner: owner, PageSize: batch})
	if err != nil {
		return fmt.Errorf("list runs that wait for a consent: %w", err)
	}
	for _, r := range rows {
		if err := s.signalWake(ctx, r.WorkflowID, automation.WaitingForAuth); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) signalWake(ctx context.Context, workflowID string, state automation.State) error {
	ctx, cancel := context.WithTimeout(ctx, temporalTimeout)
	defer cancel()
	err := s.temporal.SignalWorkflow(ctx, workflowID, "", automation.SignalWake, automation.Wake{State: state})
	if err != nil && !isGone(err) {
		return fmt.Errorf("wake workflow: %w", err)
	}
	return nil
}
