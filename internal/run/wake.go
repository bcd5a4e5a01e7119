package run

import (
	"context"
	"fmt"

	"steward/internal/automation"
	"steward/internal/store"
)

// Wake tells the owner's runs that wait for a consent given since that they may try again. A run that is told
// twice, or in vain, goes back to sleep. What cannot be told now is told by the reconciler.
func (s *Service) Wake(ctx context.Context, owner string) error { return s.wake(ctx, &owner) }

// wakeAll is Wake for everybody: a process may die between a consent and the word of it.
func (s *Service) wakeAll(ctx context.Context) error { return s.wake(ctx, nil) }

func (s *Service) wake(ctx context.Context, owner *string) error {
	rows, err := s.db.ListRunsWaitingForConsent(ctx, store.ListRunsWaitingForConsentParams{Owner: owner, PageSize: batch})
	if err != nil {
		return fmt.Errorf("list runs that wait for a consent: %w", err)
	}
	for _, r := range rows {
		if err := s.signalWake(ctx, r.WorkflowID); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) signalWake(ctx context.Context, workflowID string) error {
	ctx, cancel := context.WithTimeout(ctx, temporalTimeout)
	defer cancel()
	err := s.temporal.SignalWorkflow(ctx, workflowID, "", automation.SignalWake, automation.Wake{State: automation.WaitingForAuth})
	if err != nil && !isGone(err) {
		return fmt.Errorf("wake workflow: %w", err)
	}
	return nil
}
