package store

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Tx runs fn in one transaction: committed when fn returns nil, rolled back otherwise. fn must not
// talk to anything but the database: a slow third party would hold a connection and locks.
//
// BEGIN, and every statement that promises no result (sqlc's :exec), travels with the next statement that
// promises one, or with COMMIT. An error of such a statement is therefore returned by a later one or by Tx.
// The transactions of a run take half the round trips that way.
func (db *DB) Tx(ctx context.Context, fn func(q *Queries) error) error {
	conn, err := db.Pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release() // closes the connection if a transaction is still open on it
	t := &tx{conn: conn.Conn()}
	t.queue("begin")
	if err = fn(New(t)); err == nil {
		err = t.commit(ctx)
	}
	if err != nil && t.begun {
		_, _ = t.conn.Exec(ctx, "rollback") // if it fails, Release sees to it
	}
	return err
}

// tx implements DBTX for the statements of one transaction.
type tx struct {
	conn    *pgx.Conn
	waiting pgx.Batch
	begun   bool // something was sent
}

func (t *tx) queue(sql string, args ...any) { t.waiting.Queue(sql, args...) }

// Exec implements DBTX.
func (t *tx) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	if promisesNothing(sql) {
		t.queue(sql, args...)
		return pgconn.CommandTag{}, nil
	}
	results, err := t.send(ctx, sql, args)
	if err != nil {
		return pgconn.CommandTag{}, err
	}
	tag, err := results.Exec()
	if closed := results.Close(); err == nil {
		err = closed
	}
	return tag, err
}

// Query implements DBTX.
func (t *tx) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	results, err := t.send(ctx, sql, args)
	if err != nil {
		return nil, err
	}
	found, err := results.Query()
	if err != nil {
		_ = results.Close() // says the same
		return nil, err
	}
	return rows{found, results}, nil
}

// QueryRow implements DBTX.
func (t *tx) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	results, err := t.send(ctx, sql, args)
	if err != nil {
		return broken{err}
	}
	return row{results.QueryRow(), results}
}

// send sends what waits and sql after it, and reads the results up to that of sql.
func (t *tx) send(ctx context.Context, sql string, args []any) (pgx.BatchResults, error) {
	t.queue(sql, args...)
	batch := t.waiting
	t.waiting, t.begun = pgx.Batch{}, true
	results := t.conn.SendBatch(ctx, &batch)
	for range batch.Len() - 1 {
		if _, err := results.Exec(); err != nil {
			_ = results.Close() // says the same
			return nil, err
		}
	}
	return results, nil
}

// commit ends the transaction; one without statements was never begun.
func (t *tx) commit(ctx context.Context) error {
	if !t.begun && t.waiting.Len() == 1 {
		return nil
	}
	tag, err := t.Exec(ctx, "commit")
	if err == nil && tag.String() == "ROLLBACK" { // fn went on after a statement had failed
		err = pgx.ErrTxCommitRollback
	}
	return err
}

// promisesNothing tells sqlc's :exec from its :execrows and :execresult by the comment that sqlc leaves in
// front of a statement.
func promisesNothing(sql string) bool {
	head, _, _ := strings.Cut(sql, "\n")
	return strings.HasPrefix(head, "-- name: ") && strings.HasSuffix(head, " :exec")
}

// rows and row end the batch that they came with.
type rows struct {
	pgx.Rows
	results pgx.BatchResults
}

// Close implements pgx.Rows.
func (r rows) Close() {
	r.Rows.Close()
	_ = r.results.Close() // what it could say, Err has said
}

type row struct {
	pgx.Row
	results pgx.BatchResults
}

// Scan implements pgx.Row.
func (r row) Scan(dest ...any) error {
	err := r.Row.Scan(dest...)
	if closed := r.results.Close(); err == nil {
		err = closed
	}
	return err
}

// broken is the row of a statement that could not be sent.
type broken struct{ err error }

// Scan implements pgx.Row.
func (b broken) Scan(...any) error { return b.err }
