package bigquery_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/oauth"
)

const (
	query = `{"project":"acme","query":"SELECT vendor FROM sales.invoices"}`
	dry   = `{"kind":"bigquery#job","jobReference":{"projectId":"acme","location":"europe-west3"},"status":{"state":"DONE"},
		"statistics":{"totalBytesProcessed":"2048","query":{"statementType":"SELECT","totalBytesProcessed":"2048","schema":{"fields":[{"name":"vendor","type":"STRING","mode":"NULLABLE"}]}}}}`
	started = `{"kind":"bigquery#job","jobReference":{"projectId":"acme","jobId":"steward_call_1","location":"europe-west3"},"status":{"state":"RUNNING"}}`
	rows    = `{"jobComplete":true,"totalRows":"3","totalBytesProcessed":"2048","schema":{"fields":[{"name":"vendor","type":"STRING"}]},
		"rows":[{"f":[{"v":"Alpha"}]},{"f":[{"v":"Beta"}]},{"f":[{"v":"Gamma"}]}]}`
)

type result struct {
	Columns   []string
	Rows      []map[string]any
	RowCount  int    `json:"row_count"`
	TotalRows uint64 `json:"total_rows"`
	Truncated bool
	Bytes     int64
}

func whole() map[string]answer {
	return map[string]answer{
		"POST acme/jobs dry": {body: dry}, "POST acme/jobs": {body: started}, "GET acme/queries/steward_call_1": {body: rows},
	}
}

func TestQuery(t *testing.T) {
	t.Parallel()
	d := newDocumented(t, whole())
	var got result
	require.NoError(t, d.call("call_1", "BIGQUERY_QUERY", query, &got))
	require.Equal(t, result{
		Columns: []string{"vendor"}, Rows: []map[string]any{{"vendor": "Alpha"}, {"vendor": "Beta"}, {"vendor": "Gamma"}},
		RowCount: 3, TotalRows: 3, Bytes: 2048,
	}, got)
	require.Len(t, d.asked, 3)
	config := path(d.asked[1].body, "configuration")
	require.Equal(t, "1073741824", path(config, "query", "maximumBytesBilled"))
	require.Equal(t, false, path(config, "query", "useLegacySql"))
	require.Equal(t, "30000", path(config, "jobTimeoutMs"))
	require.Equal(t, "europe-west3", path(d.asked[1].body, "jobReference", "location"))
	require.Contains(t, d.asked[2].query, "location=europe-west3")
	require.Contains(t, d.asked[2].query, "maxResults=201")

	require.NoError(t, d.call("call_1", "BIGQUERY_QUERY", query, &got), "an attempt that is repeated reads the job of the one before")
	require.Len(t, d.jobs, 1)

	require.NoError(t, d.call("call_1", "BIGQUERY_QUERY", `{"project":"acme","query":"SELECT 1","max_rows":2,"max_bytes_billed":100}`, &got))
	require.True(t, got.Truncated)
	require.Equal(t, 2, got.RowCount)
	require.EqualValues(t, 3, got.TotalRows)
	require.Equal(t, "100", path(d.asked[7].body, "configuration", "query", "maximumBytesBilled"))
}

// Both walls: what is no query is not sent, and what BigQuery calls something else is not run.
func TestOnlyQueriesAreRun(t *testing.T) {
	t.Parallel()
	d := newDocumented(t, whole())
	for _, arguments := range []string{
		`{"project":"acme","query":"DELETE FROM sales.invoices WHERE true"}`, `{"project":"acme","query":"SELECT 1; DROP TABLE sales.invoices"}`,
		`{"project":"acme","query":"SELECT 1","max_bytes_billed":99999999999}`,
	} {
		require.True(t, failure(t, d.call("call_1", "BIGQUERY_QUERY", arguments, &result{})).Answered, arguments)
	}
	require.Empty(t, d.asked)
	for _, kind := range []string{`"SCRIPT"`, `"EXPORT_DATA"`, `"CREATE_TABLE_AS_SELECT"`, `""`} {
		d.answers["POST acme/jobs dry"] = answer{body: `{"statistics":{"query":{"statementType":` + kind + `}}}`}
		require.Equal(t, "query: only SELECT statements are run, which may begin with WITH", failure(t, d.call("call_1", "BIGQUERY_QUERY", query, &result{})).Reason)
	}
	require.Empty(t, d.jobs)
}

func TestDryRun(t *testing.T) {
	t.Parallel()
	d := newDocumented(t, whole())
	var got struct {
		Bytes   int64
		Columns []map[string]any
	}
	require.NoError(t, d.call("call_1", "BIGQUERY_DRY_RUN", query, &got))
	require.EqualValues(t, 2048, got.Bytes)
	require.Equal(t, []map[string]any{{"name": "vendor", "type": "STRING"}}, got.Columns)
	require.Len(t, d.asked, 1)
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		key      string
		answer   answer
		reason   string
		answered bool
		consent  []string
	}{
		"bad column": {
			"POST acme/jobs dry",
			answer{400, refusal(400, "invalidQuery", "Unrecognized name: vendr at [1:8]")},
			"BigQuery refused it: Unrecognized name: vendr at [1:8]", true, nil,
		},
		"bad column, said of the job": {
			"POST acme/jobs dry",
			answer{body: `{"status":{"state":"DONE","errorResult":{"reason":"invalidQuery","message":"Unrecognized name: vendr"}},"statistics":{"query":{"statementType":"SELECT"}}}`},
			"BigQuery refused it: Unrecognized name: vendr", true, nil,
		},
		"too dear": {
			"GET acme/queries/steward_call_1",
			answer{400, refusal(400, "bytesBilledLimitExceeded", "Query exceeded limit for bytes billed")},
			"BigQuery refused it: Query exceeded limit for bytes billed", true, nil,
		},
		"not for this account": {
			"POST acme/jobs",
			answer{403, refusal(403, "accessDenied", "Access Denied: Project acme")},
			"BigQuery refused it: Access Denied: Project acme", true, nil,
		},
		"a scope is missing": {
			"POST acme/jobs dry",
			answer{403, refusal(403, "insufficientPermissions", "Insufficient Permission")},
			"BigQuery was not granted what this needs", false,
			[]string{"https://www.googleapis.com/auth/bigquery", "https://www.googleapis.com/auth/cloud-platform"},
		},
		"too fast":          {"POST acme/jobs dry", answer{403, refusal(403, "rateLimitExceeded", "Exceeded rate limits")}, "BigQuery asks to wait", false, nil},
		"BigQuery failed":   {"POST acme/jobs", answer{503, refusal(503, "backendError", "Error")}, "BigQuery has failed", false, nil},
		"rows of no table":  {"GET acme/queries/steward_call_1", answer{body: `{"jobComplete":true,"rows":[{"f":[{"v":"1"}]}]}`}, "the rows could not be read", false, nil},
		"answer in no form": {"GET acme/queries/steward_call_1", answer{body: `<html>`}, "the connection to BigQuery broke before the answer came", false, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			answers := whole()
			answers[c.key] = c.answer
			d := newDocumented(t, answers)
			err := d.call("call_1", "BIGQUERY_QUERY", query, &result{})
			e := failure(t, err)
			require.Equal(t, c.reason, e.Reason)
			require.Equal(t, c.answered, e.Answered)
			if c.consent != nil {
				need := &oauth.ConsentError{}
				require.ErrorAs(t, err, &need)
				require.Equal(t, c.consent, need.Scopes)
			}
		})
	}
}

func TestWhatThereIs(t *testing.T) {
	t.Parallel()
	d := newDocumented(t, map[string]answer{
		"GET /bigquery/v2/projects": {body: `{"projects":[{"id":"acme","numericId":"1","projectReference":{"projectId":"acme"},"friendlyName":"Acme"}],
			"nextPageToken":"n","totalItems":1}`},
		"GET acme/datasets":              {body: `{"datasets":[{"id":"acme:sales","datasetReference":{"projectId":"acme","datasetId":"sales"},"friendlyName":"Sales","location":"EU"}],"nextPageToken":"n"}`},
		"GET acme/datasets/sales/tables": {body: `{"tables":[{"tableReference":{"projectId":"acme","datasetId":"sales","tableId":"invoices"},"type":"TABLE"}],"totalItems":1}`},
		"GET acme/datasets/sales/tables/invoices": {body: `{"type":"TABLE","numRows":"12","numBytes":"340","description":"What we have billed",
			"timePartitioning":{"type":"DAY","field":"issued"},"requirePartitionFilter":true,
			"schema":{"fields":[{"name":"id","type":"INTEGER","mode":"REQUIRED"},{"name":"buyer","type":"RECORD","mode":"REPEATED","fields":[{"name":"name","type":"STRING"}]}]}}`},
	})
	var projects, datasets, tables, schema map[string]any
	require.NoError(t, d.call("c", "BIGQUERY_LIST_PROJECTS", `{}`, &projects))
	require.Equal(t, map[string]any{"projects": []any{map[string]any{"id": "acme", "name": "Acme"}}, "next_page_token": "n"}, projects)
	require.NoError(t, d.call("c", "BIGQUERY_LIST_PROJECTS", `{"page_token":"n"}`, &projects))
	require.Contains(t, d.asked[len(d.asked)-1].query, "pageToken=n")
	require.NoError(t, d.call("c", "BIGQUERY_LIST_DATASETS", `{"project":"acme"}`, &datasets))
	require.Equal(t, map[string]any{"datasets": []any{map[string]any{"id": "sales", "name": "Sales", "location": "EU"}}, "next_page_token": "n"}, datasets)
	require.NoError(t, d.call("c", "BIGQUERY_LIST_TABLES", `{"project":"acme","dataset":"sales"}`, &tables))
	require.Equal(t, map[string]any{"tables": []any{map[string]any{"id": "invoices", "type": "TABLE"}}}, tables)
	require.NoError(t, d.call("c", "BIGQUERY_GET_SCHEMA", `{"project":"acme","dataset":"sales","table":"invoices"}`, &schema))
	require.Equal(t, map[string]any{
		"type": "TABLE", "description": "What we have billed", "rows": 12.0, "bytes": 340.0, "partition_by": "issued", "needs_filter": true, "truncated": false,
		"columns": []any{
			map[string]any{"name": "id", "type": "INTEGER", "mode": "REQUIRED"},
			map[string]any{"name": "buyer", "type": "RECORD", "mode": "REPEATED"},
			map[string]any{"name": "buyer.name", "type": "STRING"},
		},
	}, schema)
	e := failure(t, d.call("c", "BIGQUERY_GET_SCHEMA", `{"project":"acme","dataset":"sales","table":"nope"}`, &schema))
	require.True(t, e.Answered)
	for _, name := range []string{"../../x", "a/b", "a?b=c", "a#b"} {
		_ = d.call("c", "BIGQUERY_LIST_TABLES", `{"project":"`+name+`","dataset":"sales"}`, &tables)
		last := d.asked[len(d.asked)-1]
		require.NotEqual(t, http.MethodPost, last.key[:4])
		require.Contains(t, last.key, "/datasets/sales/tables", "a name stays within its part of the address")
	}
}
