package oauth

import (
	"context"
	"fmt"

	"steward/internal/fault"
	"steward/internal/store"
)

// locked runs fn with owner's credential, nil if there is none, while nobody else changes it.
//
// The row lock is the one refresh at a time across processes. Against the rule of store.DB.Tx it is held while
// the provider answers: unlike a lease in a column it ends with the process that holds it, within no time after
// a kill and after 30 s when it merely freezes, and a Disconnect or a new consent waits for it without further
// code. The price is a connection per question under way, of which a process has at most asks; waiters of one
// process share one (Refresh), and nothing takes longer than refreshTime.
//
// If the process dies between the provider's answer and the commit, the row holds the tokens from before. That
// does no harm with Google, whose refresh tokens do not change; for one that was rotated see lost.go.
func (s *Service) locked(ctx context.Context, owner, provider string, fn func(q *store.Queries, row *store.Credential) error) error {
	select {
	case s.asking <- struct{}{}:
		defer func() { <-s.asking }()
	case <-ctx.Done():
		return fault.Wrap(ctx.Err(), fault.Unavailable, "too many questions to the provider are under way").WithCode(CodeProvider)
	}
	return s.db.Tx(ctx, func(q *store.Queries) error {
		if err := q.BoundIdleTransaction(ctx); err != nil {
			return fmt.Errorf("bound transaction: %w", err)
		}
		row, err := lock(ctx, q, owner, provider)
		if err != nil {
			return err
		}
		return fn(q, row)
	})
}

// lock takes the row, nil if there is none.
func lock(ctx context.Context, q *store.Queries, owner, provider string) (*store.Credential, error) {
	row, err := q.LockCredential(ctx, store.LockCredentialParams{Owner: owner, Provider: provider})
	switch {
	case store.IsNoRows(err):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("lock credential: %w", err)
	}
	return row, nil
}
