package mongodb_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
)

func campaigns() []any {
	return []any{
		bson.D{{Key: "_id", Value: 1}, {Key: "name", Value: "Black Friday"}, {Key: "spend", Value: 5000}, {Key: "tags", Value: bson.A{"sale"}}},
		bson.D{{Key: "_id", Value: 2}, {Key: "name", Value: "Holiday Sale"}, {Key: "spend", Value: 3000}},
		bson.D{{Key: "_id", Value: 3}, {Key: "name", Value: "Spring"}, {Key: "spend", Value: 100}, {Key: "views", Value: int64(1) << 60}},
	}
}

func TestQuery(t *testing.T) {
	t.Parallel()
	s := newSite(t, campaigns()...)
	for name, c := range map[string]struct{ arguments, rows string }{
		"filter, order and projection": {
			`{"collection":"campaigns","filter":{"spend":{"$gte":1000}},"sort":{"spend":1},"projection":{"name":1,"_id":0}}`,
			`[{"name":"Holiday Sale"},{"name":"Black Friday"}]`,
		},
		"as one text, as seed 002 has it": {
			`{"query":"{\"collection\":\"campaigns\",\"filter\":{\"name\":{\"$regex\":\"^Black\"}},\"projection\":{\"spend\":1}}"}`, `[{"_id":1,"spend":5000}]`,
		},
		"Extended JSON": {`{"collection":"campaigns","filter":{"_id":{"$numberInt":"2"}},"projection":{"name":1}}`, `[{"_id":2,"name":"Holiday Sale"}]`},
		"whole numbers that readers of JSON round": {
			`{"collection":"campaigns","filter":{"_id":3},"projection":{"views":1}}`, `[{"_id":3,"views":{"$numberLong":"1152921504606846976"}}]`,
		},
		"pipeline": {
			`{"collection":"campaigns","pipeline":[{"$match":{"spend":{"$gt":1000}}},{"$group":{"_id":null,"total":{"$sum":"$spend"}}}]}`, `[{"_id":null,"total":8000}]`,
		},
		"empty pipeline": {`{"collection":"campaigns","pipeline":[],"limit":1}`, `[{"_id":1,"name":"Black Friday","spend":5000,"tags":["sale"]}]`},
		"nothing there":  {`{"collection":"absent"}`, `[]`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rows, err := json.Marshal(s.mustRead(t, "DB_QUERY", c.arguments)["rows"])
			require.NoError(t, err)
			require.JSONEq(t, c.rows, string(rows))
		})
	}
}

func TestQuerySaysWhatItLeavesOut(t *testing.T) {
	t.Parallel()
	s := newSite(t, campaigns()...)
	out := s.mustRead(t, "DB_QUERY", `{"collection":"campaigns","sort":{"_id":1},"limit":2}`)
	require.Len(t, out["rows"], 2)
	require.Equal(t, true, out["truncated"])
	require.Contains(t, out["note"], "first 2 documents")
	require.Equal(t, []any{"_id", "name", "spend", "tags"}, out["columns"])
	require.Equal(t, false, s.mustRead(t, "DB_QUERY", `{"collection":"campaigns","limit":3}`)["truncated"])
}

func TestAnswersAreBounded(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	var documents []any
	for range 1100 {
		documents = append(documents, bson.D{{Key: "text", Value: "short"}})
	}
	_, err := s.db.Collection("many").InsertMany(t.Context(), documents)
	require.NoError(t, err)
	out := s.mustRead(t, "DB_QUERY", `{"collection":"many"}`)
	require.Len(t, out["rows"], 1000)
	require.Equal(t, true, out["truncated"])

	_, err = s.db.Collection("large").InsertMany(t.Context(), []any{
		bson.D{{Key: "text", Value: strings.Repeat("x", 700_000)}}, bson.D{{Key: "text", Value: strings.Repeat("y", 700_000)}},
	})
	require.NoError(t, err)
	out = s.mustRead(t, "DB_QUERY", `{"collection":"large"}`)
	require.Len(t, out["rows"], 1)
	require.Contains(t, out["note"], "1048576 bytes")
}

func TestQueryIsToldWhatIsWrong(t *testing.T) {
	t.Parallel()
	s := newSite(t, campaigns()...)
	for arguments, says := range map[string]string{
		`{}`:                            "collection is missing",
		`{"query":"SELECT 1"}`:          "query is not a JSON object",
		`{"query":"{}","limit":3}`:      "in place of the other arguments",
		`{"query":"{\"drop\":\"x\"}"}`:  "query is not a JSON object",
		`{"collection":"system.users"}`: "collections of the server itself",
		`{"collection":"c","pipeline":[{"$limit":1}],"filter":{}}`: "pipeline stands in place",
		`{"collection":"campaigns","filter":{"x":{"$size":-1}}}`:   "the database says no",
	} {
		_, err := s.read(t, "DB_QUERY", arguments)
		e := refusal(t, err)
		require.True(t, e.Answered && !e.Ran, arguments)
		require.Contains(t, e.Reason, says)
	}
}

func TestDescribe(t *testing.T) {
	t.Parallel()
	s := newSite(t, campaigns()...)
	_, err := s.db.Collection("orders").InsertOne(t.Context(), bson.D{
		{Key: "at", Value: bson.DateTime(0)},
		{Key: "buyer", Value: bson.D{{Key: "name", Value: "A"}}},
		{Key: "lines", Value: bson.A{bson.D{{Key: "sku", Value: "x"}}}},
	})
	require.NoError(t, err)

	out := s.mustRead(t, "DB_DESCRIBE", `{}`)
	require.Equal(t, []any{
		map[string]any{"name": "campaigns", "kind": "collection", "count": 3.}, map[string]any{"name": "orders", "kind": "collection", "count": 1.},
	}, out["collections"])

	one := s.mustRead(t, "DB_DESCRIBE", `{"collection":"orders"}`)["collections"].([]any)[0].(map[string]any)
	require.Equal(t, []any{map[string]any{"name": "_id_", "key": map[string]any{"_id": 1.}, "unique": false}}, one["indexes"])
	fields := map[string]any{}
	for _, f := range one["fields"].([]any) {
		fields[f.(map[string]any)["name"].(string)] = f.(map[string]any)["types"].([]any)[0]
	}
	require.Equal(t, map[string]any{
		"_id": "objectID", "at": "UTC datetime", "buyer": "embedded document", "buyer.name": "string",
		"lines": "array", "lines[]": "embedded document", "lines[].sku": "string",
	}, fields)

	_, err = s.read(t, "DB_DESCRIBE", `{"collection":"absent"}`)
	require.Contains(t, refusal(t, err).Reason, "no such collection")
}
