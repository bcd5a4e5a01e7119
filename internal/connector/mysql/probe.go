package mysql

import (
	"context"
	"database/sql"
	"errors"

	"steward/internal/automation"
	"steward/internal/connector"
	"steward/internal/connector/database"
)

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
	var done *writeResult
	err = l.use(ctx, l.writes, func(ctx context.Context, conn *sql.Conn) (err error) {
		if err = makeLedger(ctx, conn); err == nil {
			done, err = entry{c.ID, attempt}.withdraw(ctx, conn)
		}
		return err
	})
	switch {
	case errors.Is(err, errNoLedger): // no ledger, no change: neither was it made nor will it be
		return automation.OutcomeFailed, writeResult{}, nil
	case err != nil:
		return automation.OutcomeUnknown, writeResult{}, failure(err, true)
	case done != nil:
		return automation.OutcomeDone, *done, nil
	default:
		return automation.OutcomeFailed, writeResult{}, nil
	}
}
