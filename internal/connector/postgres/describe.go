package postgres

import (
	"context"
	_ "embed"
	"encoding/json"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/jackc/pgx/v5/pgconn"

	"steward/internal/automation"
	"steward/internal/connector"
	"steward/internal/connector/database"
)

//go:embed describe.sql
var describeSQL string

type describeInput struct {
	Table string `json:"table,omitempty" jsonschema:"a table or view, with or without its schema; without it all are listed"`
}

func describeTool() connector.Tool {
	return connector.Typed[describeInput, database.Description]{
		Tool: connector.Tool{
			Name: "DB_DESCRIBE", Title: "Describe {name}",
			Description: "Describe the tables and views of {name} that the account may read: columns, types, keys, comments and about how many rows. " +
				"With a table's name, also its indexes and defaults.",
			Class: automation.Read, Untrusted: true, Private: true,
		},
		Bounds: func(properties map[string]*jsonschema.Schema) { properties["table"].MaxLength = jsonschema.Ptr(255) },
		Call:   describe,
	}.Build()
}

func describe(ctx context.Context, s *connector.Session, _ connector.Call, in describeInput) (database.Description, error) {
	l, err := linkOf(s)
	if err != nil {
		return database.Description{}, err
	}
	var tables []database.Table
	err = l.read(ctx, describeSQL, func(r *pgconn.ResultReader) error {
		for r.NextRow() {
			var t database.Table
			if err := json.Unmarshal(r.Values()[0], &t); err != nil {
				return err
			}
			tables = append(tables, t)
		}
		return nil
	}, []byte(in.Table))
	if err != nil {
		return database.Description{}, failed(err)
	}
	if in.Table != "" && len(tables) == 0 {
		return database.Description{}, &connector.Error{Answered: true, Reason: "there is no such table or view, or the account may not read it"}
	}
	out, err := database.Describe(tables)
	if err != nil {
		return out, failed(err)
	}
	return out, nil
}
