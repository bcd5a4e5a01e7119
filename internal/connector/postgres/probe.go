package postgres

import (
	"context"
	"errors"

	"steward/internal/automation"
	"steward/internal/connector"
	"steward/internal/connector/database"
	"steward/internal/connector/postgres/statement"
)

// withdrawSQL makes attempts up to a number too late. It waits for one that is under way.
const withdrawSQL = "INSERT INTO " + statement.Ledger + " AS c (call_id, attempt) VALUES ($1, $2) ON CONFLICT (call_id) " +
	"DO UPDATE SET attempt = greatest(c.attempt, EXCLUDED.attempt) WHERE c.result IS NULL"

// probe asks the ledger, and takes from earlier attempts the possibility to make the change: one that is under way is
// waited for, and one that comes later finds that its number is over.
func probe(ctx context.Context, s *connector.Session, c connector.Call, _ writeInput) (automation.Outcome, writeResult, error) {
	attempt, err := database.Attempt(c.Receipt)
	if err != nil {
		return automation.OutcomeUnknown, writeResult{}, err
	}
	if attempt == 0 { // the note comes before anything is sent, and the attempt that could have made it has lost its fence
		return automation.OutcomeFailed, writeResult{}, nil
	}
	l, err := linkOf(s)
	if err != nil {
		return automation.OutcomeUnknown, writeResult{}, err
	}
	done, err := l.withdraw(ctx, entry{c.ID, attempt})
	if errors.Is(err, errNoLedger) {
		err = l.makeLedger(ctx)
		if refused, ok := errors.AsType[*connector.Error](err); ok && refused.Answered {
			return automation.OutcomeFailed, writeResult{}, nil // no ledger, no change: neither was it made nor will it be
		}
		if err == nil {
			done, err = l.withdraw(ctx, entry{c.ID, attempt})
		}
	}
	switch {
	case err != nil:
		return automation.OutcomeUnknown, writeResult{}, failed(err)
	case done != nil:
		return automation.OutcomeDone, *done, nil
	default:
		return automation.OutcomeFailed, writeResult{}, nil
	}
}

// withdraw returns the result of a call that is done; nil: it is not, and its attempts up to this one are too late.
func (l *link) withdraw(ctx context.Context, e entry) (*writeResult, error) {
	ctx, cancel := l.during(ctx)
	defer cancel()
	conn, err := l.pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Release() // the pool ends a connection that is in a transaction
	on := conn.Conn().PgConn()
	withdrawn, err := e.enter(ctx, on, withdrawSQL)
	if err != nil {
		return nil, err
	}
	if withdrawn {
		return nil, on.ExecParams(ctx, "COMMIT", nil, nil, nil, nil).Read().Err
	}
	done, err := e.result(ctx, on)
	if err == nil && done == nil {
		err = errors.New("the ledger's row has gone")
	}
	return done, err
}
