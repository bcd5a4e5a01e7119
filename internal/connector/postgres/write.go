package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/jackc/pgx/v5/pgconn"

	"steward/internal/automation"
	"steward/internal/connector"
	"steward/internal/connector/database"
	"steward/internal/connector/postgres/statement"
)

const (
	// mostParameters is what PostgreSQL takes many times over.
	mostParameters = 1000
	// mostReturned bounds the rows of RETURNING: they are kept beside the call.
	mostReturned = 100
)

type writeInput struct {
	Statement  string   `json:"statement" jsonschema:"one INSERT, UPDATE, DELETE or MERGE; $1, $2 and so on stand for the parameters"`
	Parameters []string `json:"parameters,omitempty" jsonschema:"the values of $1, $2 and so on, as text: each becomes the type that its place needs"`
}

type writeResult struct {
	RowsAffected int64            `json:"rows_affected" jsonschema:"how many rows were inserted, updated or deleted"`
	Returned     *database.Answer `json:"returned,omitempty" jsonschema:"the rows of RETURNING"`
}

func writeTool() connector.Tool {
	return connector.Typed[writeInput, writeResult]{
		Tool: connector.Tool{
			Name: "DB_WRITE", Title: "Change {name}",
			Description: "Change rows of {name} with one INSERT, UPDATE, DELETE or MERGE. It takes effect once, also where the connection " +
				"breaks: a row of the table " + statement.Ledger + " stands beside each change.",
			Class: automation.Effect, Untrusted: true, Private: true, Needs: database.Writes,
		},
		Bounds: func(properties map[string]*jsonschema.Schema) {
			properties["statement"].MaxLength = jsonschema.Ptr(longest)
			properties["parameters"].MaxItems = jsonschema.Ptr(mostParameters)
		},
		Call: write, Probe: probe,
	}.Build()
}

// write notes which attempt at the call this is before anything is sent: no other attempt has the same number, and
// those with lower ones are over.
func write(ctx context.Context, s *connector.Session, c connector.Call, in writeInput) (writeResult, error) {
	if err := checked(in.Statement, statement.Change); err != nil {
		return writeResult{}, err
	}
	if len(in.Parameters) > mostParameters {
		return writeResult{}, &connector.Error{Answered: true, Reason: "there are too many parameters"}
	}
	l, err := linkOf(s)
	if err != nil {
		return writeResult{}, err
	}
	attempt, err := database.Attempt(c.Receipt)
	if err != nil {
		return writeResult{}, err
	}
	attempt++
	if err := c.Note(ctx, strconv.Itoa(attempt)); err != nil {
		return writeResult{}, &connector.Error{Reason: "the change could not be noted: it was not made", Err: err}
	}
	out, err := l.change(ctx, entry{c.ID, attempt}, in)
	if errors.Is(err, errNoLedger) {
		if err = l.makeLedger(ctx); err == nil {
			out, err = l.change(ctx, entry{c.ID, attempt}, in)
		}
	}
	if err != nil {
		return writeResult{}, failed(err)
	}
	return out, nil
}

// change makes the change and its entry in one transaction. Errors before the commit leave nothing: the connection is
// ended with them, and its transaction with it.
func (l *link) change(ctx context.Context, e entry, in writeInput) (writeResult, error) {
	ctx, cancel := l.during(ctx)
	defer cancel()
	conn, err := l.pool.Acquire(ctx)
	if err != nil {
		return writeResult{}, err
	}
	defer conn.Release()
	on := conn.Conn().PgConn()
	out, committed, err := changeOn(ctx, on, e, in)
	if err != nil || !committed {
		_ = on.Close(ctx) // which rolls back
	}
	return out, err
}

// changeOn leaves a transaction open unless it says committed.
func changeOn(ctx context.Context, on *pgconn.PgConn, e entry, in writeInput) (out writeResult, committed bool, err error) {
	before, err := e.begin(ctx, on)
	if err != nil || before != nil {
		if before != nil {
			out = *before
		}
		return out, false, err
	}
	parameters := make([][]byte, len(in.Parameters))
	for i, p := range in.Parameters {
		parameters[i] = []byte(p)
	}
	r := on.ExecParams(ctx, in.Statement, parameters, nil, nil, nil)
	if len(r.FieldDescriptions()) > 0 {
		returned, err := answer(r, mostReturned)
		if err != nil && !errors.Is(err, errEnough) {
			return out, false, err
		}
		out.Returned = &returned
	}
	tag, err := r.Close() // reads on to the end: a change is whole, however much of it is told
	if err != nil {
		return out, false, err
	}
	out.RowsAffected = tag.RowsAffected()
	doc, err := json.Marshal(out)
	if err != nil {
		return out, false, err
	}
	return out, true, e.commit(ctx, on, doc)
}
