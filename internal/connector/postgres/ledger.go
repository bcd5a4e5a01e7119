package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/jackc/pgx/v5/pgconn"

	"steward/internal/connector"
	"steward/internal/connector/postgres/statement"
)

const (
	claimSQL = "INSERT INTO " + statement.Ledger + " AS c (call_id, attempt) VALUES ($1, $2) ON CONFLICT (call_id) " +
		"DO UPDATE SET attempt = EXCLUDED.attempt WHERE c.result IS NULL AND c.attempt < EXCLUDED.attempt"
	resultSQL = "SELECT result FROM " + statement.Ledger + " WHERE call_id = $1"
	doneSQL   = "UPDATE " + statement.Ledger + " SET result = $2 WHERE call_id = $1"
)

// errNoLedger says that the table is not there.
var errNoLedger = errors.New("there is no ledger")

// entry is an attempt at a call.
type entry struct {
	call    string
	attempt int
}

func (e entry) key() []byte    { return []byte(e.call) }
func (e entry) number() []byte { return []byte(strconv.Itoa(e.attempt)) }

// begin begins the transaction of an attempt. It waits for one that another attempt has begun. Not nil: the call was
// done before, and this is its result.
func (e entry) begin(ctx context.Context, on *pgconn.PgConn) (*writeResult, error) {
	claimed, err := e.enter(ctx, on, claimSQL)
	if err != nil || claimed {
		return nil, err
	}
	done, err := e.result(ctx, on)
	if err == nil && done == nil {
		err = &connector.Error{Reason: "another attempt has this call: nothing was changed"}
	}
	return done, err
}

// enter begins a transaction with a row of the ledger; false: there is one that does not give way.
func (e entry) enter(ctx context.Context, on *pgconn.PgConn, statement string) (bool, error) {
	p := on.StartPipeline(ctx)
	send(p, "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE")
	send(p, limits)
	send(p, statement, e.key(), e.number())
	p.SendPipelineSync()
	entered := false
	err := p.Flush()
	if err == nil {
		err = third(p, func(r *pgconn.ResultReader) error {
			tag, err := r.Close()
			entered = tag.RowsAffected() == 1
			return err
		})
	}
	if end := p.Close(); err == nil {
		err = end
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok && e.Code == "42P01" {
		err = errNoLedger
	}
	return entered, err
}

// result is what the ledger has of a call that is done; nil: it is not.
func (e entry) result(ctx context.Context, on *pgconn.PgConn) (*writeResult, error) {
	found := on.ExecParams(ctx, resultSQL, [][]byte{e.key()}, nil, nil, nil).Read()
	if found.Err != nil || len(found.Rows) == 0 || found.Rows[0][0] == nil {
		return nil, found.Err
	}
	var out writeResult
	if err := json.Unmarshal(found.Rows[0][0], &out); err != nil {
		return nil, fmt.Errorf("decode result: %w", err)
	}
	return &out, nil
}

// commit writes the result down and commits. When no clear answer comes the change may have been made.
func (e entry) commit(ctx context.Context, on *pgconn.PgConn, result []byte) error {
	p := on.StartPipeline(ctx)
	send(p, doneSQL, e.key(), result)
	send(p, "COMMIT")
	p.SendPipelineSync()
	send(p, "DISCARD ALL")
	p.SendPipelineSync()
	err := p.Flush()
	var tag pgconn.CommandTag
	if err == nil {
		if _, err = tagOf(p); err == nil {
			tag, err = tagOf(p)
		}
	}
	if end := p.Close(); end != nil {
		_ = on.Close(ctx)
	}
	if err == nil && tag.String() == "COMMIT" {
		return nil
	}
	if refused, ok := errors.AsType[*pgconn.PgError](err); ok && refused.SeverityUnlocalized == "ERROR" && !isOpen(refused.Code) {
		return err // a constraint that is checked at the end, or the ledger: it was rolled back
	}
	return &connector.Error{Ran: true, Reason: "the connection broke while the change was being committed", Err: err}
}

// isOpen knows the codes by which a server says that it cannot tell whether it has committed.
func isOpen(code string) bool { return code == "40003" || code == "08007" }

func tagOf(p *pgconn.Pipeline) (pgconn.CommandTag, error) {
	r, err := result(p)
	if err != nil {
		return pgconn.CommandTag{}, err
	}
	return r.CommandTag, nil
}
