package mongodb

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
)

// forbidden are requests that security.md's T-12 is about: code, writes, other databases, the server itself, and ways
// to hide them. The test of whole tools sends them, too.
func forbidden() []string {
	filters := []string{
		`{"$where":"sleep(10000)"}`, `{"a":{"$where":"1"}}`, `{"$and":[{"a":1},{"$where":"1"}]}`, `{"$or":[{"$nor":[{"$where":"1"}]}]}`,
		`{"a":{"$not":{"$where":"1"}}}`, `{"a":{"$elemMatch":{"$where":"1"}}}`, `{"a":[{"b":{"$where":"1"}}]}`, `{"\u0024where":"1"}`,
		`{"$expr":{"$function":{"body":"function(){}","args":[],"lang":"js"}}}`, `{"$expr":{"$eq":[1,{"$function":{}}]}}`,
		`{"$expr":{"$accumulator":{}}}`, `{"$expr":{"$let":{"vars":{"x":{"$function":{}}},"in":1}}}`,
		`{"a":{"$code":"function(){}"}}`, `{"a":{"$code":"f()","$scope":{}}}`, `{"a":{"$in":[{"$code":"1"}]}}`, `{"$expr":"$$USER_ROLES"}`,
		`{"$expr":{"$in":["x","$$USER_ROLES.role"]}}`, `{"$jsonSchema":{}}`, `{"$alwaysTrue":1}`, `{"$query":{},"$explain":1}`, `{"$orderby":{"a":1}}`,
		`{"$_internalExprEq":1}`, `{"a":{"$ref":"system.users","$id":1,"$db":"admin"}}`, `{"a":1,"a":{"$gt":0}}`, `{"a":{"b":1,"b":2}}`,
		`{"a\u0000b":1}`, `{"a":{"$symbol":"x"}}`, `{"a":{"$dbPointer":{"$ref":"x","$id":{"$oid":"507f1f77bcf86cd799439011"}}}}`, `[]`, `"x"`, `1`,
		`{"a":` + strings.Repeat(`{"b":`, 40) + `1` + strings.Repeat(`}`, 40) + `}`,
		`{"a":{"$in":[` + strings.Repeat(`1,`, 11_000) + `1]}}`, `{"a":"` + strings.Repeat("x", mostText) + `"}`,
	}
	stages := []string{
		`{"$out":"x"}`, `{"$out":{"db":"other","coll":"x"}}`, `{"$merge":{"into":"x"}}`, `{"$merge":"x"}`, `{"$currentOp":{}}`, `{"$listSessions":{}}`,
		`{"$listLocalSessions":{}}`, `{"$indexStats":{}}`, `{"$collStats":{}}`, `{"$planCacheStats":{}}`, `{"$changeStream":{}}`, `{"$unionWith":"x"}`,
		`{"$graphLookup":{}}`, `{"$documents":[]}`, `{"$search":{}}`, `{"$listSampledQueries":{}}`, `{"$querySettings":{}}`, `{"$shardedDataDistribution":{}}`,
		`{"$match":{"$where":"1"}}`, `{"$match":{},"$out":"x"}`, `{}`, `"$out"`, `{"$facet":{"a":[{"$out":"x"}]}}`, `{"$facet":{"$out":[]}}`,
		`{"$facet":{"a":[],"a":[{"$limit":1}]}}`, `{"$lookup":{"from":"x","pipeline":[{"$out":"y"}],"as":"z"}}`, `{"$lookup":{"from":{"db":"admin","coll":"system.users"},"as":"z"}}`,
		`{"$lookup":{"from":"system.users","as":"z"}}`, `{"$lookup":{"from":"x","as":"z","$out":"y"}}`, `{"$lookup":{"from":"x","let":{"a":{"$function":{}}},"as":"z"}}`,
		`{"$lookup":{"from":"x","as":"a","as":"b"}}`, `{"$group":{"_id":1,"a":{"$accumulator":{"init":"f"}}}}`, `{"$project":{"a":{"$function":{"body":"f"}}}}`,
		`{"$addFields":{"a":{"$where":1}}}`, `{"$set":{"a":"$$USER_ROLES"}}`, `{"$sort":{"a":{"$function":1}}}`, `{"$limit":{"$function":1}}`, `{"$sample":{"$out":"x"}}`,
		`{"$replaceRoot":{"newRoot":{"$function":{}}}}`, `{"$bucket":{"groupBy":{"$function":{}}}}`, `{"$count":{"$code":"x"}}`, `{"$unwind":{"path":{"$where":"x"}}}`,
		strings.Repeat(`{"$facet":{"a":[`, 20) + `{"$limit":1}` + strings.Repeat(`]}}`, 20),
	}
	var all []string
	for _, f := range filters {
		all = append(all, fmt.Sprintf(`{"collection":"c","filter":%s}`, f))
	}
	for _, s := range stages {
		all = append(all, fmt.Sprintf(`{"collection":"c","pipeline":[{"$limit":1},%s]}`, s))
	}
	return append(all,
		`{"collection":"c","projection":{"a":{"$function":{}}}}`, `{"collection":"c","sort":{"a":{"$where":"1"}}}`, `{"collection":"c","projection":{"a":1,"a":0}}`,
		`{"collection":"system.users"}`, `{"collection":"x.system.views"}`, `{"collection":"$cmd"}`, `{"collection":"c\u0000d"}`, `{"collection":""}`,
		`{"collection":"c","limit":-1}`, `{"collection":"c","skip":-1}`, `{"collection":"c","pipeline":[`+strings.Repeat(`{"$limit":1},`, 50)+`{"$limit":1}]}`,
	)
}

func TestForbiddenRequestsAreRefused(t *testing.T) {
	t.Parallel()
	all := forbidden()
	require.Greater(t, len(all), 80)
	for _, text := range all {
		var r request
		require.NoError(t, json.Unmarshal([]byte(text), &r), text)
		command, _, err := r.command()
		require.Error(t, err, text)
		require.Nil(t, command)
	}
}

func TestUsualRequestsPass(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`{"collection":"c"}`, `{"collection":"c","filter":null}`,
		`{"collection":"c","filter":{"_id":{"$oid":"507f1f77bcf86cd799439011"},"at":{"$gte":{"$date":"2026-01-01T00:00:00Z"}},"n":{"$numberLong":"5"}}}`,
		`{"collection":"c","filter":{"$or":[{"a":{"$in":[1,2]}},{"b":{"$elemMatch":{"c":1}}}],"d":{"$regex":"^x","$options":"i"},"e":{"$not":{"$exists":true}}}}`,
		`{"collection":"c","filter":{"price":"$5","name":"$$USER_ROLES"}}`,
		`{"collection":"c","filter":{"$expr":{"$gt":["$spend","$$ROOT.limit"]}},"projection":{"tags":{"$elemMatch":{"a":1}},"x":{"$slice":["$y",2]}},"sort":{"score":{"$meta":"textScore"}}}`,
		`{"collection":"c","pipeline":[{"$match":{"a":1}},{"$lookup":{"from":"d","let":{"x":"$_id"},"pipeline":[{"$match":{"$expr":{"$eq":["$c","$$x"]}}}],"as":"ds"}},{"$facet":{"n":[{"$count":"n"}]}}]}`,
		`{"collection":"c","pipeline":[{"$group":{"_id":{"$dateTrunc":{"date":"$at","unit":"day"}},"n":{"$sum":1}}},{"$sort":{"n":-1}},{"$limit":5},{"$unset":"x"},{"$unwind":{"path":"$a","preserveNullAndEmptyArrays":true}}]}`,
	} {
		var r request
		require.NoError(t, json.Unmarshal([]byte(text), &r))
		_, _, err := r.command()
		require.NoError(t, err, text)
	}
}

// dangerous keys have no place in a command wherever they come from; two of them we put there ourselves, on top.
var dangerous = []string{
	"$where", "$function", "$accumulator", "$out", "$merge", "$currentOp", "$listSessions", "$indexStats", "$unionWith", "$graphLookup", "mapReduce",
}

func FuzzWalker(f *testing.F) {
	for _, text := range forbidden() {
		if len(text) < 1000 {
			f.Add(text)
		}
	}
	f.Add(`{"collection":"c","filter":{"a":{"$gt":1}}}`)
	f.Fuzz(func(t *testing.T, text string) {
		r, err := queryInput{Query: text}.whole()
		if err != nil {
			return
		}
		command, most, err := r.command()
		if err != nil {
			return
		}
		require.Positive(t, most)
		doc, err := bson.Marshal(command)
		if err != nil {
			return // the driver refuses it as well
		}
		require.True(t, shallow(doc, 3*mostDepth))
		harmless(t, bson.Raw(doc))
	})
}

func harmless(t *testing.T, doc bson.Raw) {
	elements, err := doc.Elements()
	require.NoError(t, err)
	seen := map[string]bool{}
	for _, e := range elements {
		require.NotContains(t, dangerous, e.Key())
		require.False(t, seen[e.Key()], "twice: %s", e.Key())
		seen[e.Key()] = true
		switch v := e.Value(); v.Type {
		case bson.TypeEmbeddedDocument:
			harmless(t, v.Document())
		case bson.TypeArray:
			harmless(t, bson.Raw(v.Array()))
		case bson.TypeJavaScript, bson.TypeCodeWithScope, bson.TypeDBPointer, bson.TypeSymbol:
			t.Fatalf("%s holds a %s", e.Key(), v.Type)
		}
	}
}
