package mysql

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/google/jsonschema-go/jsonschema"

	"steward/internal/automation"
	"steward/internal/connector"
	"steward/internal/connector/database"
)

// mostStatement bounds a statement, in characters.
const mostStatement = 50_000

type queryInput struct {
	Query string `json:"query" jsonschema:"one SQL statement that reads: SELECT, SHOW, DESCRIBE, EXPLAIN, WITH, VALUES or TABLE"`
}

func queryTool() connector.Tool {
	return connector.Typed[queryInput, database.Answer]{
		Tool: connector.Tool{
			Name: "DB_QUERY", Title: "Query {name}", Class: automation.Read, Untrusted: true, Private: true, Answer: "rows",
			Description: "Query {name} with one SQL statement in the dialect of MySQL that changes nothing. The answer has at most 1000 rows. " +
				"Times are in UTC, binary columns in base64. The tables are listed by DB_DESCRIBE.",
		},
		Bounds: func(p map[string]*jsonschema.Schema) {
			p["query"].MinLength, p["query"].MaxLength = jsonschema.Ptr(1), jsonschema.Ptr(mostStatement)
		},
		Call: query,
	}.Build()
}

func query(ctx context.Context, s *connector.Session, _ connector.Call, in queryInput) (database.Answer, error) {
	l, err := linkOf(s)
	if err != nil {
		return database.Answer{}, err
	}
	if err := checkRead(in.Query); err != nil {
		return database.Answer{}, readFailure(err)
	}
	var answer database.Answer
	err = l.read(ctx, func(ctx context.Context, conn *sql.Conn) (err error) {
		answer, err = rowsOf(ctx, conn, in.Query)
		return err
	})
	if err != nil {
		return database.Answer{}, readFailure(err)
	}
	return answer, nil
}

// rowsOf runs a query and takes as many rows as an answer has room for. It must be the session's last: where there are
// more rows the connection is cut, instead of reading them all to throw them away.
func rowsOf(ctx context.Context, conn *sql.Conn, query string) (database.Answer, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	rows, err := conn.QueryContext(ctx, query)
	if err != nil {
		return database.Answer{}, fmt.Errorf("query: %w", err)
	}
	defer func() {
		cancel()
		_ = rows.Close() // they were read, or are of no interest
	}()
	types, err := rows.ColumnTypes()
	if err != nil {
		return database.Answer{}, fmt.Errorf("query: %w", err)
	}
	names := make([]string, len(types))
	for i, t := range types {
		names[i] = t.Name()
	}
	out := database.NewRows(names, database.MostRows)
	values, places := make([]any, len(types)), make([]any, len(types))
	for i := range values {
		places[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(places...); err != nil {
			return database.Answer{}, fmt.Errorf("read row: %w", err)
		}
		for i, t := range types {
			values[i] = plain(values[i], t.DatabaseTypeName())
		}
		if room, err := out.Add(values); err != nil || !room {
			return out.Answer(), err
		}
	}
	if err := rows.Err(); err != nil {
		return database.Answer{}, fmt.Errorf("read rows: %w", err)
	}
	return out.Answer(), nil
}
