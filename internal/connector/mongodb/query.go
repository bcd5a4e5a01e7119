package mongodb

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"

	"github.com/google/jsonschema-go/jsonschema"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"steward/internal/automation"
	"steward/internal/connector"
	"steward/internal/connector/database"
)

// queryInput has seed 002's query beside the parts that it stands for.
type queryInput struct {
	Query string `json:"query,omitempty" jsonschema:"the whole request as one JSON text in place of the other arguments, such as {\"collection\": \"orders\", \"filter\": {\"status\": \"open\"}, \"limit\": 10}"`
	request
}

type request struct {
	Collection string            `json:"collection,omitempty" jsonschema:"name of the collection"`
	Filter     json.RawMessage   `json:"filter,omitempty" jsonschema:"which documents, in MongoDB's query language and Extended JSON, such as {\"_id\": {\"$oid\": \"…\"}}; without it all"`
	Projection json.RawMessage   `json:"projection,omitempty" jsonschema:"which fields, such as {\"name\": 1, \"_id\": 0}"`
	Sort       json.RawMessage   `json:"sort,omitempty" jsonschema:"in which order, such as {\"date\": -1}"`
	Skip       int64             `json:"skip,omitempty" jsonschema:"how many documents to leave out first"`
	Limit      int64             `json:"limit,omitempty" jsonschema:"how many documents at most; 1000 if not given"`
	Pipeline   []json.RawMessage `json:"pipeline,omitempty" jsonschema:"an aggregation pipeline in place of filter, projection, sort and skip"`
}

func queryTool() connector.Tool {
	return connector.Typed[queryInput, database.Answer]{
		Tool: connector.Tool{
			Name: "DB_QUERY", Title: "Query {name}", Class: automation.Read, Untrusted: true, Private: true, Answer: "rows",
			Description: "Query {name}: find documents of a collection, or aggregate them. Answers with at most 1000 documents in Extended JSON, " +
				"1 MiB and 15 seconds. Operators that run code, write or leave the database are refused.",
		},
		Bounds: func(p map[string]*jsonschema.Schema) {
			objects(p["filter"], p["projection"], p["sort"], p["pipeline"].Items)
			p["pipeline"].MaxItems = jsonschema.Ptr(mostStages)
			p["limit"].Minimum, p["limit"].Maximum = jsonschema.Ptr(1.), jsonschema.Ptr(float64(database.MostRows))
			p["skip"].Minimum = jsonschema.Ptr(0.)
			p["query"].MaxLength = jsonschema.Ptr(mostText)
		},
		Call: query,
	}.Build()
}

// objects says what the Go type of a text in JSON does not.
func objects(list ...*jsonschema.Schema) {
	for _, s := range list {
		s.Type, s.Items = "object", nil
	}
}

func query(ctx context.Context, s *connector.Session, _ connector.Call, in queryInput) (database.Answer, error) {
	r, err := in.whole()
	if err != nil {
		return database.Answer{}, refused(err)
	}
	command, most, err := r.command()
	if err != nil {
		return database.Answer{}, refused(err)
	}
	ctx, cancel := context.WithTimeout(ctx, database.QueryTime) // the driver passes it on as maxTimeMS
	defer cancel()
	l, db, err := session(ctx, s)
	if err != nil {
		return database.Answer{}, err
	}
	found, err := db.RunCommandCursor(ctx, command, options.RunCmd().SetReadPreference(l.target.preference))
	if err != nil {
		return database.Answer{}, readFailure(err)
	}
	return collect(ctx, found, most)
}

func collect(ctx context.Context, found *mongo.Cursor, most int) (database.Answer, error) {
	defer func() { _ = found.Close(context.WithoutCancel(ctx)) }()
	rows := newRows(most)
	for found.Next(ctx) {
		if more, err := rows.add(found.Current); err != nil || !more {
			if err != nil {
				return database.Answer{}, &connector.Error{Reason: "a document could not be read", Err: err}
			}
			break
		}
	}
	if err := found.Err(); err != nil {
		return database.Answer{}, readFailure(err)
	}
	return rows.answer(), nil
}

// whole is the request, from wherever it was written.
func (in queryInput) whole() (request, error) {
	if in.Query == "" {
		return in.request, nil
	}
	if in.Collection != "" || in.Filter != nil || in.Projection != nil || in.Sort != nil || in.Pipeline != nil || in.Skip != 0 || in.Limit != 0 {
		return request{}, errors.New("query stands in place of the other arguments, not beside them")
	}
	var r request
	decoder := json.NewDecoder(bytes.NewReader([]byte(in.Query)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&r); err != nil || decoder.More() {
		return request{}, errors.New("query is not a JSON object with collection and filter, projection, sort, skip, limit or pipeline")
	}
	return r, nil
}
