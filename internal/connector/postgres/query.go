package postgres

import (
	"context"
	"fmt"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"steward/internal/automation"
	"steward/internal/connector"
	"steward/internal/connector/database"
	"steward/internal/connector/postgres/statement"
)

// longest is the most characters of a statement.
const longest = 64 << 10

type queryInput struct {
	Query string `json:"query" jsonschema:"SQL query"`
}

func queryTool() connector.Tool {
	return connector.Typed[queryInput, database.Answer]{
		Tool: connector.Tool{
			Name: "DB_QUERY", Title: "Query {name}",
			Description: "Query {name} with one SQL statement that only reads: SELECT, WITH, VALUES, TABLE, SHOW or EXPLAIN. " +
				"Answers have up to 1,000 rows. DB_DESCRIBE tells what tables there are.",
			Class: automation.Read, Untrusted: true, Private: true, Answer: "rows",
		},
		Bounds: func(properties map[string]*jsonschema.Schema) {
			properties["query"].MaxLength = jsonschema.Ptr(longest)
		},
		Call: query,
	}.Build()
}

func query(ctx context.Context, s *connector.Session, _ connector.Call, in queryInput) (database.Answer, error) {
	if err := checked(in.Query, statement.Query); err != nil {
		return database.Answer{}, err
	}
	l, err := linkOf(s)
	if err != nil {
		return database.Answer{}, err
	}
	var out database.Answer
	err = l.read(ctx, in.Query, func(r *pgconn.ResultReader) error {
		var err error
		out, err = answer(r, 0)
		return err
	})
	if err != nil {
		return database.Answer{}, failed(err)
	}
	return out, nil
}

// checked refuses a statement in words for the model.
func checked(sql string, check func(string) error) error {
	if len(sql) > longest {
		return &connector.Error{Answered: true, Reason: fmt.Sprintf("the statement is longer than %d characters", longest)}
	}
	if err := check(sql); err != nil {
		return &connector.Error{Answered: true, Reason: err.Error()}
	}
	return nil
}

// answer reads no more rows than most (0: database.MostRows); its error is errEnough when there are more than fit.
func answer(r *pgconn.ResultReader, most int) (database.Answer, error) {
	types := pgtype.NewMap()
	var columns []string
	var oids []uint32
	for _, f := range r.FieldDescriptions() {
		columns, oids = append(columns, f.Name), append(oids, f.DataTypeOID)
	}
	rows := database.NewRows(columns, most)
	values := make([]any, len(oids))
	for r.NextRow() {
		for i, sent := range r.Values() {
			values[i] = value(types, oids[i], sent)
		}
		more, err := rows.Add(values)
		if err != nil {
			return database.Answer{}, err
		}
		if !more {
			return rows.Answer(), errEnough
		}
	}
	return rows.Answer(), nil
}
