package redis

import (
	"context"
	"errors"

	"github.com/google/jsonschema-go/jsonschema"

	"steward/internal/automation"
	"steward/internal/connector"
	"steward/internal/connector/database"
)

// longestLine bounds a command line, in characters.
const longestLine = 64 << 10

type queryInput struct {
	Query string `json:"query" jsonschema:"one command line as in redis-cli, such as: HGETALL \"user:1\""`
}

func queryTool() connector.Tool {
	return connector.Typed[queryInput, database.Answer]{
		Tool: connector.Tool{
			Name: "DB_QUERY", Title: "Query {name}", Class: automation.Read, Untrusted: true, Private: true, Answer: "rows",
			Description: "Query {name} with one Redis command that reads, such as GET, HGETALL, LRANGE, SMEMBERS, ZRANGE, XRANGE, SCAN or TTL. " +
				"Each answer is a list of rows; what is no text stands there as {\"base64\": …}. Commands that write or block are refused.",
		},
		Bounds: func(p map[string]*jsonschema.Schema) { p["query"].MaxLength = jsonschema.Ptr(longestLine) },
		Call:   query,
	}.Build()
}

func query(ctx context.Context, s *connector.Session, _ connector.Call, in queryInput) (database.Answer, error) {
	c, q, err := ask(in.Query)
	if err != nil {
		return database.Answer{}, readFailure(err)
	}
	ctx, cancel := context.WithTimeout(ctx, database.QueryTime)
	defer cancel()
	if q.reader, err = linkOf(s).reading(ctx); err != nil {
		return database.Answer{}, err
	}
	q.rows = rows{database.NewRows(c.columns, 0)}
	note, err := c.answer(ctx, q)
	if err != nil {
		return database.Answer{}, readFailure(err)
	}
	answer := q.rows.Answer()
	if note != "" {
		answer.Truncated = true
		if answer.Note == "" {
			answer.Note = note
		}
	}
	return answer, nil
}

// readFailure is what an error means for a call that changes nothing.
func readFailure(err error) *connector.Error {
	if w, ok := errors.AsType[*wrong](err); ok {
		return &connector.Error{Answered: true, Reason: w.reason}
	}
	return failure(err, false)
}
