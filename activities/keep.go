package activities

import (
	"context"
	"time"

	"github.com/cenkalti/backoff/v5"

	"steward/internal/store"
)

// keepTime is how long an answer that is paid for is held while PostgreSQL is away.
const keepTime = 45 * time.Second

// keep writes what is known of a request that was sent, also when the activity has been cancelled meanwhile, and
// tries again while PostgreSQL cannot be reached. fn may run several times.
func (r *Run) keep(ctx context.Context, fn func(ctx context.Context, q *store.Queries) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), keepTime)
	defer cancel()
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		err := r.db.Tx(ctx, func(q *store.Queries) error { return fn(ctx, q) })
		if err != nil && !store.IsUnavailable(err) {
			err = backoff.Permanent(err)
		}
		return struct{}{}, err
	}, backoff.WithBackOff(backoff.NewExponentialBackOff()), backoff.WithMaxElapsedTime(keepTime))
	return err
}
