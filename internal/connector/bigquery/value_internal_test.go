package bigquery

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
	bq "google.golang.org/api/bigquery/v2"
)

// As in https://docs.cloud.google.com/bigquery/docs/reference/rest/v2/jobs/getQueryResults.
const answer = `{"jobComplete":true,"totalRows":"2","schema":{"fields":[
	{"name":"id","type":"INTEGER","mode":"REQUIRED"},{"name":"big","type":"INTEGER"},{"name":"share","type":"FLOAT"},{"name":"paid","type":"BOOLEAN"},
	{"name":"at","type":"TIMESTAMP"},{"name":"day","type":"DATE"},{"name":"sum","type":"NUMERIC"},{"name":"raw","type":"BYTES"},
	{"name":"tags","type":"STRING","mode":"REPEATED"},
	{"name":"lines","type":"RECORD","mode":"REPEATED","fields":[{"name":"what","type":"STRING"},{"name":"n","type":"INTEGER"}]}]},
	"rows":[{"f":[{"v":"1"},{"v":"9007199254740993"},{"v":"0.5"},{"v":"true"},{"v":"1763712000123456"},{"v":"2026-11-21"},{"v":"12.10"},{"v":"SGk="},
	{"v":[{"v":"a"},{"v":"b"}]},{"v":[{"v":{"f":[{"v":"x"},{"v":"3"}]}}]}]},
	{"f":[{"v":"2"},{"v":null},{"v":"NaN"},{"v":null},{"v":null},{"v":null},{"v":null},{"v":null},{"v":[]},{"v":[]}]}]}`

func TestRead(t *testing.T) {
	t.Parallel()
	var found bq.GetQueryResultsResponse
	require.NoError(t, json.Unmarshal([]byte(answer), &found))
	rows, err := read(&found, 0)
	require.NoError(t, err)
	got := rows.Answer()
	doc, err := json.Marshal(got.Rows)
	require.NoError(t, err)
	require.JSONEq(t, `[{"id":1,"big":"9007199254740993","share":0.5,"paid":true,"at":"2025-11-21T08:00:00.123456Z","day":"2026-11-21","sum":"12.10","raw":"SGk=",
		"tags":["a","b"],"lines":[{"what":"x","n":3}]},
		{"id":2,"big":null,"share":"NaN","paid":null,"at":null,"day":null,"sum":null,"raw":null,"tags":[],"lines":[]}]`, string(doc))
	require.False(t, got.Truncated)

	rows, err = read(&found, 1)
	require.NoError(t, err)
	require.True(t, rows.Answer().Truncated)
	require.Equal(t, 1, rows.Answer().RowCount)

	found.Rows[0].F = found.Rows[0].F[:3]
	_, err = read(&found, 0)
	require.Error(t, err)
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(answer))
	f.Add([]byte(`{"schema":{"fields":[{"name":"r","type":"RECORD","fields":[{"type":"RECORD"}]}]},"rows":[{"f":[{"v":{"f":[{"v":1}]}}]}]}`))
	f.Add([]byte(`{"rows":[{"f":[{}]},null]}`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		var found bq.GetQueryResultsResponse
		if json.Unmarshal(doc, &found) != nil {
			return
		}
		rows, err := read(&found, 10)
		if err != nil {
			return
		}
		_, err = json.Marshal(rows.Answer())
		require.NoError(t, err)
	})
}
