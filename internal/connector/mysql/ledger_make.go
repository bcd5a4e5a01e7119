package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"steward/internal/connector"
)

// errNoLedger says that the table is not there and cannot be made.
var errNoLedger = errors.New("there is no ledger")

// makeLedger sees to it that the table is there. Making it ends the session's transaction, so another is begun. Where
// the account may not, the error says what somebody else is to run.
func makeLedger(ctx context.Context, conn *sql.Conn) error {
	_, err := conn.ExecContext(ctx, lookSQL)
	if err == nil || !isNumber(err, noSuchTable, deniedTable) {
		return err
	}
	_, refused := conn.ExecContext(ctx, fmt.Sprintf(ledgerSQL, callsTable))
	switch {
	case refused == nil:
		_, err := conn.ExecContext(ctx, "START TRANSACTION READ WRITE")
		return err
	case isNumber(refused, deniedTable, deniedDatabase):
		return noLedger(ctx, conn, refused)
	default:
		return refused
	}
}

func noLedger(ctx context.Context, conn *sql.Conn, refused error) error {
	var database, account string
	if err := conn.QueryRowContext(ctx, "SELECT DATABASE(), CURRENT_USER()").Scan(&database, &account); err != nil {
		return fmt.Errorf("ask who we are: %w", err)
	}
	table := quote(database) + "." + callsTable
	at := strings.LastIndexByte(account, '@')
	return &connector.Error{Answered: true, Err: errors.Join(errNoLedger, refused), Reason: fmt.Sprintf(
		"changes need a table that this account may not make or use. Whoever owns the database runs once: %s; GRANT SELECT, INSERT, UPDATE ON %s TO %s@%s;",
		ledgerIn(database), table, quote(account[:at]), quote(account[at+1:]))}
}

// ledgerIn makes the ledger of a database.
func ledgerIn(database string) string {
	return fmt.Sprintf(ledgerSQL, quote(database)+"."+callsTable)
}
