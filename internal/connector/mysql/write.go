package mysql

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math"
	"strconv"

	"github.com/google/jsonschema-go/jsonschema"

	"steward/internal/automation"
	"steward/internal/connector"
	"steward/internal/connector/database"
)

// mostParameters is far below the 65,535 of the protocol.
const mostParameters = 1000

// maxExact is the largest whole number that JSON's readers agree on (RFC 8259 §6).
const maxExact = 1<<53 - 1

type writeInput struct {
	Statement  string `json:"statement" jsonschema:"one INSERT, UPDATE, DELETE or REPLACE in the dialect of MySQL; each ? stands for a parameter"`
	Parameters []any  `json:"parameters,omitempty" jsonschema:"the values of the question marks in their order; dates, decimals and large whole numbers as text"`
}

type writeResult struct {
	RowsAffected int64 `json:"rows_affected" jsonschema:"how many rows were inserted, found by an update, or deleted; replaced rows count twice"`
	LastInsertID int64 `json:"last_insert_id,omitempty" jsonschema:"the first number that the database has given to a new row"`
}

func writeTool() connector.Tool {
	return connector.Typed[writeInput, writeResult]{
		Tool: connector.Tool{
			Name: "DB_WRITE", Title: "Change {name}", Class: automation.Effect, Untrusted: true, Private: true, Needs: database.Writes,
			Description: "Change rows of {name} with one INSERT, UPDATE, DELETE or REPLACE. It takes effect once, also where the connection " +
				"breaks: a row of the table " + callsTable + " stands beside each change. Tables without transactions are refused.",
		},
		Bounds: func(p map[string]*jsonschema.Schema) {
			p["statement"].MinLength, p["statement"].MaxLength = jsonschema.Ptr(1), jsonschema.Ptr(mostStatement)
			p["parameters"].MaxItems = jsonschema.Ptr(mostParameters)
			p["parameters"].Items = &jsonschema.Schema{Types: []string{"string", "number", "boolean", "null"}}
		},
		Call: write, Probe: probe,
	}.Build()
}

// write notes which attempt at the call this is before anything is sent: no other attempt has the same number, and
// those with lower ones are over.
func write(ctx context.Context, s *connector.Session, c connector.Call, in writeInput) (writeResult, error) {
	l, err := linkOf(s)
	if err != nil {
		return writeResult{}, err
	}
	all, err := checkWrite(in.Statement)
	if err != nil {
		return writeResult{}, readFailure(err)
	}
	parameters, err := values(all, in.Parameters)
	if err != nil {
		return writeResult{}, readFailure(err)
	}
	attempt, err := database.Attempt(c.Receipt)
	if err != nil {
		return writeResult{}, err
	}
	attempt++
	if err := c.Note(ctx, strconv.Itoa(attempt)); err != nil {
		return writeResult{}, &connector.Error{Reason: "the change could not be noted: it was not made", Err: err}
	}
	var out writeResult
	err = l.use(ctx, l.writes, func(ctx context.Context, conn *sql.Conn) error {
		if err := lasting(ctx, conn, all); err != nil {
			return err
		}
		if err := makeLedger(ctx, conn); err != nil {
			return err
		}
		done, err := entry{c.ID, attempt}.claim(ctx, conn)
		if err != nil || done != nil {
			if done != nil {
				out = *done
			}
			return err
		}
		out, err = change(ctx, conn, c.ID, in.Statement, parameters)
		return err
	})
	if err != nil {
		return writeResult{}, failure(err, false) // up to the commit: the server rolls back what it has no commit for
	}
	return out, nil
}

// change runs the statement, writes its result into the ledger's row, and commits both.
func change(ctx context.Context, conn *sql.Conn, call, statement string, parameters []any) (writeResult, error) {
	var out writeResult
	result, err := conn.ExecContext(ctx, statement, parameters...)
	if err != nil {
		return out, fmt.Errorf("change: %w", err)
	}
	if out.RowsAffected, err = result.RowsAffected(); err != nil {
		return out, fmt.Errorf("change: %w", err)
	}
	if out.LastInsertID, err = result.LastInsertId(); err != nil {
		return out, fmt.Errorf("change: %w", err)
	}
	doc, err := json.Marshal(out)
	if err != nil {
		return out, fmt.Errorf("encode result: %w", err)
	}
	if _, err := conn.ExecContext(ctx, doneSQL, string(doc), call); err != nil {
		return out, fmt.Errorf("note result: %w", err)
	}
	if _, err := conn.ExecContext(ctx, "COMMIT"); err != nil {
		return out, &connector.Error{Ran: true, Reason: "the connection broke while the change was being committed", Err: err}
	}
	return out, nil
}

// values are parameters as the driver takes them, one for each question mark.
func values(statement []token, parameters []any) ([]any, error) {
	marks := 0
	for _, t := range statement {
		if t.is("?") {
			marks++
		}
	}
	if marks != len(parameters) || marks > mostParameters {
		return nil, refusal(fmt.Sprintf("the statement has %d question marks for %d parameters; at most %d are allowed", marks, len(parameters), mostParameters))
	}
	out := make([]any, len(parameters))
	for i, p := range parameters {
		switch v := p.(type) {
		case nil, string, bool:
			out[i] = v
		case float64:
			out[i] = v
			if v == math.Trunc(v) {
				if math.Abs(v) > maxExact {
					return nil, refusal("whole numbers of more than 15 digits are passed as text")
				}
				out[i] = int64(v)
			}
		default:
			return nil, refusal("parameters are texts, numbers, true, false or null; JSON is passed as text")
		}
	}
	return out, nil
}
