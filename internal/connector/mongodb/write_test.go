package mongodb_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"steward/internal/automation"
	"steward/internal/connector"
)

// change calls DB_WRITE on a link.
func change(t testing.TB, link connector.Link, l *ledger, arguments string) (map[string]any, error) {
	t.Helper()
	result, err := tool(t, "DB_WRITE").Call(t.Context(), &connector.Session{Link: link}, l.call(arguments))
	if err != nil {
		return nil, err
	}
	var out map[string]any
	require.NoError(t, json.Unmarshal(result.Structured, &out))
	return out, nil
}

func (s *site) probe(t testing.TB, l *ledger, arguments string) automation.Outcome {
	t.Helper()
	found, err := tool(t, "DB_WRITE").Probe(t.Context(), &connector.Session{Link: s.link}, l.call(arguments))
	require.NoError(t, err)
	return found.Outcome
}

func (s *site) all(t testing.TB) []bson.M {
	t.Helper()
	found, err := s.db.Collection("campaigns").Find(t.Context(), bson.D{}, options.Find().SetSort(bson.D{{Key: "_id", Value: 1}}))
	require.NoError(t, err)
	var out []bson.M
	require.NoError(t, found.All(t.Context(), &out))
	return out
}

func TestWrite(t *testing.T) {
	t.Parallel()
	s := newSite(t, campaigns()...)
	out, err := change(t, s.link, newLedger(), `{"collection":"campaigns","operation":"insert","documents":[{"name":"A","at":{"$date":"2026-01-01T00:00:00Z"}},{"name":"B"}]}`)
	require.NoError(t, err)
	require.InDelta(t, 2, out["count"], 0)
	ids := out["inserted_ids"].([]any)
	rows := s.mustRead(t, "DB_QUERY", `{"collection":"campaigns","filter":{"_id":{"$oid":"`+ids[1].(string)+`"}},"projection":{"_id":0}}`)["rows"]
	require.Equal(t, []any{map[string]any{"name": "B"}}, rows)

	l := newLedger()
	out, err = change(t, s.link, l, `{"collection":"campaigns","operation":"update","filter":{"name":"Spring"},"update":{"$inc":{"spend":5},"$set":{"ok":true},"$push":{"tags":{"$each":[1,2]}}}}`)
	require.NoError(t, err)
	require.Equal(t, map[string]any{"operation": "update", "count": 1.}, out)
	require.Equal(t, bson.M{
		"_id": int32(3), "name": "Spring", "spend": int32(105), "views": int64(1) << 60, "ok": true, "tags": bson.A{int32(1), int32(2)},
		"_steward": bson.D{{Key: "claims", Value: bson.A{}}, {Key: "last", Value: l.id}},
	}, s.all(t)[2])

	out, err = change(t, s.link, newLedger(), `{"collection":"campaigns","operation":"delete","filter":{"_id":1}}`)
	require.NoError(t, err)
	require.Equal(t, map[string]any{"operation": "delete", "count": 1.}, out)
	out, err = change(t, s.link, newLedger(), `{"collection":"campaigns","operation":"delete","filter":{"_id":1}}`)
	require.NoError(t, err)
	require.Equal(t, map[string]any{"operation": "delete", "count": 0.}, out, "it is gone already")
	require.Len(t, s.all(t), 4)
}

func TestWritesThatAreNotMade(t *testing.T) {
	t.Parallel()
	s := newSite(t, campaigns()...)
	_, err := s.db.Collection("campaigns").Indexes().CreateOne(t.Context(), mongo.IndexModel{
		Keys: bson.D{{Key: "name", Value: 1}}, Options: options.Index().SetUnique(true),
	})
	require.NoError(t, err)
	before := s.all(t)
	for arguments, says := range map[string]string{
		`{"collection":"campaigns","operation":"drop"}`:                                                               "operation is none of",
		`{"collection":"system.users","operation":"insert","documents":[{"a":1}]}`:                                    "server itself",
		`{"collection":"campaigns","operation":"insert","documents":[]}`:                                              "from 1 to 100",
		`{"collection":"campaigns","operation":"insert","documents":[{"_id":1}]}`:                                     "_id is chosen",
		`{"collection":"campaigns","operation":"insert","documents":[{"a":{"$where":1}}]}`:                            "$where is not allowed",
		`{"collection":"campaigns","operation":"insert","documents":[{"a":{"$code":"x"}}]}`:                           "not data",
		`{"collection":"campaigns","operation":"insert","documents":[{"name":"New"},{"name":"Spring"}]}`:              "the database says no",
		`{"collection":"campaigns","operation":"insert","documents":[{"a":1}],"filter":{"a":1}}`:                      "neither filter nor update",
		`{"collection":"campaigns","operation":"delete"}`:                                                             "filter is missing",
		`{"collection":"campaigns","operation":"delete","filter":{}}`:                                                 "filter is missing",
		`{"collection":"campaigns","operation":"delete","filter":{"spend":{"$gt":1}}}`:                                "more than one document",
		`{"collection":"campaigns","operation":"delete","filter":{"$where":"1"}}`:                                     "$where is not allowed",
		`{"collection":"campaigns","operation":"delete","filter":{"_id":1},"update":{"$set":{"a":1}}}`:                "update is what",
		`{"collection":"campaigns","operation":"update","filter":{"_id":1}}`:                                          "update is what",
		`{"collection":"campaigns","operation":"update","filter":{"_id":1},"update":{"name":"x"}}`:                    "no operator that an update",
		`{"collection":"campaigns","operation":"update","filter":{"_id":1},"update":[{"$set":{"a":1}}]}`:              "not an object",
		`{"collection":"campaigns","operation":"update","filter":{"_id":1},"update":{"$set":{"_id":9}}}`:              "_id cannot be changed",
		`{"collection":"campaigns","operation":"update","filter":{"_id":1},"update":{"$set":{"_steward.last":"x"}}}`:  "_steward cannot be changed",
		`{"collection":"campaigns","operation":"update","filter":{"_id":1},"update":{"$rename":{"a":"_steward"}}}`:    "_steward cannot be changed",
		`{"collection":"campaigns","operation":"update","filter":{"_id":1},"update":{"$set":{"a":{"$function":1}}}}`:  "$function is not allowed",
		`{"collection":"campaigns","operation":"update","filter":{"_id":1},"update":{"$set":{"a":1},"$set":{"b":1}}}`: "stands twice",
		`{"collection":"campaigns","operation":"update","filter":{"_id":1},"update":{"$inc":{"name":1}}}`:             "the database says no",
	} {
		l := newLedger()
		_, err := change(t, s.link, l, arguments)
		e := refusal(t, err)
		require.True(t, e.Answered && !e.Ran, "%s: %v", arguments, err)
		require.Contains(t, e.Reason, says, arguments)
		require.NotContains(t, e.Reason, s.db.Name())
	}
	after := s.all(t)
	for _, d := range after {
		delete(d, "_steward")
	}
	require.Equal(t, before, after)
}

// A call whose connection breaks is cleared up by its probe: the change happens once or not at all.
func TestCuts(t *testing.T) {
	t.Parallel()
	const (
		update = `{"collection":"campaigns","operation":"update","filter":{"_id":1,"spend":{"$lte":5000}},"update":{"$inc":{"spend":1}}}`
		remove = `{"collection":"campaigns","operation":"delete","filter":{"_id":1}}`
		insert = `{"collection":"campaigns","operation":"insert","documents":[{"name":"A"},{"name":"B"}]}`
	)
	for name, c := range map[string]struct {
		arguments string
		cut       *cutter
		ran       bool
		found     automation.Outcome
	}{
		"update: claim lost":            {update, &cutter{command: "update", nth: 1, what: lostRequest}, false, automation.OutcomeFailed},
		"update: answer to claim lost":  {update, &cutter{command: "update", nth: 1, what: lostAnswer}, false, automation.OutcomeFailed},
		"update: claim late":            {update, &cutter{command: "update", nth: 1, what: late}, false, automation.OutcomeFailed},
		"update: change lost":           {update, &cutter{command: "update", nth: 2, what: lostRequest}, true, automation.OutcomeFailed},
		"update: answer to change lost": {update, &cutter{command: "update", nth: 2, what: lostAnswer}, true, automation.OutcomeDone},
		"update: change late":           {update, &cutter{command: "update", nth: 2, what: late}, true, automation.OutcomeFailed},
		"delete: claim lost":            {remove, &cutter{command: "update", nth: 1, what: lostRequest}, false, automation.OutcomeFailed},
		"delete: change lost":           {remove, &cutter{command: "delete", nth: 1, what: lostRequest}, true, automation.OutcomeFailed},
		"delete: answer to change lost": {remove, &cutter{command: "delete", nth: 1, what: lostAnswer}, true, automation.OutcomeDone},
		"delete: change late":           {remove, &cutter{command: "delete", nth: 1, what: late}, true, automation.OutcomeFailed},
		"insert: documents lost":        {insert, &cutter{command: "insert", nth: 1, what: lostRequest}, true, automation.OutcomeUnknown},
		"insert: answer lost":           {insert, &cutter{command: "insert", nth: 1, what: lostAnswer}, true, automation.OutcomeDone},
		"insert: documents late":        {insert, &cutter{command: "insert", nth: 1, what: late}, true, automation.OutcomeUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, campaigns()...)
			broken := open(t, map[string]any{"connection_string": server(t).URI(s.db.Name()), "allow_writes": true}, c.cut.Dial)
			l := newLedger()
			_, err := change(t, broken, l, c.arguments)
			e := refusal(t, err)
			require.Equal(t, c.ran, e.Ran, e)
			require.False(t, e.Answered)

			require.Equal(t, c.found, s.probe(t, l, c.arguments))
			if c.cut.what == late && c.found == automation.OutcomeFailed {
				c.cut.arrive(t)
			}
			if c.found == automation.OutcomeFailed {
				requireUnchanged(t, s)
			}
			_, err = change(t, s.link, l, c.arguments) // a person says: try again
			require.NoError(t, err)
			if c.cut.what == late && c.found == automation.OutcomeUnknown {
				c.cut.arrive(t)
			}
			requireOnce(t, s, c.arguments)
			require.Equal(t, automation.OutcomeDone, s.probe(t, l, c.arguments))
			_, err = change(t, s.link, l, c.arguments)
			require.NoError(t, err)
			requireOnce(t, s, c.arguments)
		})
	}
}

func requireUnchanged(t *testing.T, s *site) {
	t.Helper()
	documents := s.all(t)
	require.Len(t, documents, 3)
	require.EqualValues(t, 5000, documents[0]["spend"])
}

func requireOnce(t *testing.T, s *site, arguments string) {
	t.Helper()
	documents := s.all(t)
	var in struct{ Operation string }
	require.NoError(t, json.Unmarshal([]byte(arguments), &in))
	switch in.Operation {
	case "update":
		require.Len(t, documents, 3)
		require.EqualValues(t, 5001, documents[0]["spend"])
	case "delete":
		require.Len(t, documents, 2)
	case "insert":
		require.Len(t, documents, 5)
	}
}

// An attempt that has lost its claim in the ledger stops before anything is changed.
func TestFencedAttemptsChangeNothing(t *testing.T) {
	t.Parallel()
	for _, arguments := range []string{
		`{"collection":"campaigns","operation":"update","filter":{"_id":1},"update":{"$inc":{"spend":1}}}`,
		`{"collection":"campaigns","operation":"delete","filter":{"_id":1}}`,
		`{"collection":"campaigns","operation":"insert","documents":[{"name":"A"}]}`,
	} {
		for fenced := range 2 {
			s := newSite(t, campaigns()...)
			l := newLedger()
			l.fenced = fenced
			_, err := change(t, s.link, l, arguments)
			if err == nil { // an insert notes once
				require.Equal(t, 1, fenced)
				continue
			}
			e := refusal(t, err)
			require.False(t, e.Ran)
			requireUnchanged(t, s)
			require.Equal(t, automation.OutcomeFailed, s.probe(t, l, arguments))
		}
	}
}

// The filter is judged once more where the change is made: two calls do not both take the last one.
func TestFilterHoldsWhenTheChangeIsMade(t *testing.T) {
	t.Parallel()
	const arguments = `{"collection":"campaigns","operation":"update","filter":{"_id":1,"stock":{"$gt":0}},"update":{"$inc":{"stock":-1}}}`
	s := newSite(t, bson.D{{Key: "_id", Value: 1}, {Key: "stock", Value: 1}})
	cut := &cutter{command: "update", nth: 2, what: late}
	slow := newLedger()
	_, err := change(t, open(t, map[string]any{"connection_string": server(t).URI(s.db.Name())}, cut.Dial), slow, arguments)
	require.True(t, refusal(t, err).Ran)
	out, err := change(t, s.link, newLedger(), arguments)
	require.NoError(t, err)
	require.EqualValues(t, 1, out["count"])
	cut.arrive(t)
	require.EqualValues(t, 0, s.all(t)[0]["stock"], "there was one only")
	require.Equal(t, automation.OutcomeFailed, s.probe(t, slow, arguments))
	out, err = change(t, s.link, slow, arguments)
	require.NoError(t, err)
	require.EqualValues(t, 0, out["count"])
}

// What others have changed since is not said to be done.
func TestTracesThatOthersHaveCovered(t *testing.T) {
	t.Parallel()
	const update = `{"collection":"campaigns","operation":"update","filter":{"_id":1},"update":{"$inc":{"spend":1}}}`
	s := newSite(t, campaigns()...)
	l := newLedger()
	_, err := change(t, s.link, l, update)
	require.NoError(t, err)
	require.Equal(t, automation.OutcomeDone, s.probe(t, l, update))
	_, err = change(t, s.link, newLedger(), update)
	require.NoError(t, err)
	require.Equal(t, automation.OutcomeUnknown, s.probe(t, l, update))
	_, err = s.db.Collection("campaigns").DeleteOne(context.WithoutCancel(t.Context()), bson.D{{Key: "_id", Value: 1}})
	require.NoError(t, err)
	require.Equal(t, automation.OutcomeUnknown, s.probe(t, l, update))
}
