package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"steward/internal/connector"
	"steward/internal/connector/postgres/statement"
)

// ledgerSQL makes the ledger. It has a row for each call: result is null until the change is made, and attempts up to
// the number in attempt can make it no more. Rows may be deleted when the runs that they belong to are over.
const ledgerSQL = "CREATE TABLE IF NOT EXISTS " + statement.Ledger +
	" (call_id text PRIMARY KEY, attempt integer NOT NULL, result text, at timestamptz NOT NULL DEFAULT now())"

// makeLedger makes the table where the role may; else the error says what somebody else is to run.
func (l *link) makeLedger(ctx context.Context) error {
	ctx, cancel := l.during(ctx)
	defer cancel()
	conn, err := l.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	err = conn.Conn().PgConn().ExecParams(ctx, ledgerSQL, nil, nil, nil, nil).Read().Err
	refused, ok := errors.AsType[*pgconn.PgError](err)
	switch {
	case !ok:
		return err
	case refused.Code == "23505": // two made it at the same time: it is there
		return nil
	default:
		user := pgx.Identifier{l.pool.Config().ConnConfig.User}.Sanitize()
		return &connector.Error{Answered: true, Err: err, Reason: fmt.Sprintf("changes need a table that this account cannot make. "+
			"Whoever owns the database runs once: %s; GRANT SELECT, INSERT, UPDATE ON %s TO %s;", ledgerSQL, statement.Ledger, user)}
	}
}
