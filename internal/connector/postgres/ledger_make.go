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
		return l.noLedger(err)
	}
}

// mayLedgerSQL says whether there is a ledger that the role may use, or it may make one. to_regclass finds what an
// INSERT without a schema would, and makeLedger makes the table in the first schema of the search path.
const mayLedgerSQL = `SELECT CASE WHEN l.id IS NULL THEN coalesce(pg_catalog.has_schema_privilege(pg_catalog.current_schema(), 'CREATE'), false)
	ELSE pg_catalog.has_table_privilege(l.id, 'SELECT') AND pg_catalog.has_table_privilege(l.id, 'INSERT') AND pg_catalog.has_table_privilege(l.id, 'UPDATE') END
FROM (SELECT pg_catalog.to_regclass('` + statement.Ledger + `') AS id) l`

// mayWrite asks what a first change would find out only after somebody has approved it.
func (l *link) mayWrite(ctx context.Context) error {
	may := false
	err := l.read(ctx, mayLedgerSQL, func(r *pgconn.ResultReader) error {
		for r.NextRow() {
			may = string(r.Values()[0]) == "t"
		}
		return nil
	})
	if err != nil || may {
		return err
	}
	return l.noLedger(nil)
}

// noLedger says what somebody else is to run.
func (l *link) noLedger(err error) error {
	user := pgx.Identifier{l.pool.Config().ConnConfig.User}.Sanitize()
	return &connector.Error{Answered: true, Err: err, Reason: fmt.Sprintf("changes need a table that this account cannot make or use. "+
		"Whoever owns the database runs once: %s; %s;", ledgerSQL, grantLedger(user))}
}

func grantLedger(role string) string {
	return fmt.Sprintf("GRANT SELECT, INSERT, UPDATE ON %s TO %s", statement.Ledger, role)
}
