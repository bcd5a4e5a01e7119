package mysql

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"steward/internal/connector"
)

// callsTable is the ledger in the user's database. It has a row for each call: result is null until the change is made,
// and attempts up to the number in attempt can make it no more. Rows may be deleted when the runs that they belong to
// are over.
const callsTable = "steward_calls"

const (
	ledgerSQL = "CREATE TABLE IF NOT EXISTS %s (call_id VARCHAR(128) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY, " +
		"attempt INT NOT NULL, result TEXT, made_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP) ENGINE=InnoDB"
	lookSQL  = "SELECT 1 FROM " + callsTable + " LIMIT 0"
	enterSQL = "INSERT INTO " + callsTable + " (call_id, attempt) VALUES (?, ?)"
	foundSQL = "SELECT attempt, result FROM " + callsTable + " WHERE call_id = ? FOR UPDATE"
	raiseSQL = "UPDATE " + callsTable + " SET attempt = ? WHERE call_id = ?"
	doneSQL  = "UPDATE " + callsTable + " SET result = ? WHERE call_id = ?"
)

// entry is an attempt at a call.
type entry struct {
	call    string
	attempt int
}

// claim puts the attempt into the ledger, before it changes anything. It waits for another attempt that is under way.
// Not nil: the call was done before, and this is its result.
func (e entry) claim(ctx context.Context, conn *sql.Conn) (*writeResult, error) {
	before, done, err := e.enter(ctx, conn)
	if err != nil || done != nil {
		return done, err
	}
	if before >= e.attempt {
		return nil, &connector.Error{Reason: "another attempt has this call: nothing was changed"}
	}
	return nil, e.raise(ctx, conn, before)
}

// withdraw takes from this attempt and all before it the possibility to make the change. Not nil: it was made.
func (e entry) withdraw(ctx context.Context, conn *sql.Conn) (*writeResult, error) {
	before, done, err := e.enter(ctx, conn)
	if err != nil || done != nil {
		return done, err
	}
	if before < e.attempt {
		if err := e.raise(ctx, conn, before); err != nil {
			return nil, err
		}
	}
	if _, err := conn.ExecContext(ctx, "COMMIT"); err != nil {
		return nil, fmt.Errorf("withdraw: %w", err)
	}
	return nil, nil
}

// enter makes the row of the call, or locks the one that is there: before is then its attempt, else 0.
func (e entry) enter(ctx context.Context, conn *sql.Conn) (before int, done *writeResult, err error) {
	_, err = conn.ExecContext(ctx, enterSQL, e.call, e.attempt)
	if err == nil {
		return 0, nil, nil
	}
	if !isNumber(err, duplicateKey) {
		return 0, nil, fmt.Errorf("enter the ledger: %w", err)
	}
	var result sql.NullString
	if err := conn.QueryRowContext(ctx, foundSQL, e.call).Scan(&before, &result); err != nil {
		return 0, nil, fmt.Errorf("read the ledger: %w", err)
	}
	if !result.Valid {
		return before, nil, nil
	}
	done = &writeResult{}
	if err := json.Unmarshal([]byte(result.String), done); err != nil {
		return 0, nil, fmt.Errorf("decode result: %w", err)
	}
	return before, done, nil
}

// raise gives the row of an earlier attempt to this one; one that enter has made has its number already.
func (e entry) raise(ctx context.Context, conn *sql.Conn, before int) error {
	if before == 0 {
		return nil
	}
	if _, err := conn.ExecContext(ctx, raiseSQL, e.attempt, e.call); err != nil {
		return fmt.Errorf("enter the ledger: %w", err)
	}
	return nil
}
