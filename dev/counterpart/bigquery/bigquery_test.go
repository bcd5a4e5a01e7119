//go:build bigquery

package bigquery_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	stand "steward/dev/counterpart/bigquery"
	"steward/internal/connector"
	"steward/internal/connector/bigquery"
)

// One engine for all: it takes a second to start.
func TestConnector(t *testing.T) {
	t.Parallel()
	engine := stand.Start(t)
	session := &connector.Session{HTTP: engine.Client(), BaseURL: engine.URL, Granted: bigquery.Scopes()}
	call := func(t *testing.T, id, name, arguments string) (map[string]any, error) {
		t.Helper()
		tool, ok := bigquery.New().Find(name)
		require.True(t, ok, name)
		result, err := tool.Call(t.Context(), session, connector.Call{ID: id, Arguments: json.RawMessage(arguments)})
		if err != nil {
			return nil, err
		}
		var out map[string]any
		require.NoError(t, json.Unmarshal(result.Structured, &out))
		return out, nil
	}
	t.Run("what there is", func(t *testing.T) {
		got, err := call(t, "c1", "BIGQUERY_LIST_DATASETS", `{"project":"test"}`)
		require.NoError(t, err)
		require.Equal(t, "sales", got["datasets"].([]any)[0].(map[string]any)["id"])
		got, err = call(t, "c2", "BIGQUERY_LIST_TABLES", `{"project":"test","dataset":"sales"}`)
		require.NoError(t, err)
		require.Equal(t, "invoices", got["tables"].([]any)[0].(map[string]any)["id"])
		got, err = call(t, "c3", "BIGQUERY_GET_SCHEMA", `{"project":"test","dataset":"sales","table":"invoices"}`)
		require.NoError(t, err)
		require.Len(t, got["columns"], 4)
	})
	t.Run("rows", func(t *testing.T) {
		got, err := call(t, "call_1", "BIGQUERY_QUERY", `{"project":"test","query":"SELECT vendor, amount, issued, id FROM sales.invoices ORDER BY id"}`)
		require.NoError(t, err)
		require.Equal(t, []any{
			map[string]any{"vendor": "Alpha", "amount": 120.5, "issued": "2026-11-01", "id": 1.0},
			map[string]any{"vendor": "Beta", "amount": 80.0, "issued": "2026-11-12", "id": 2.0},
		}, got["rows"])
		again, err := call(t, "call_1", "BIGQUERY_QUERY", `{"project":"test","query":"SELECT vendor, amount, issued, id FROM sales.invoices ORDER BY id"}`)
		require.NoError(t, err, "the job of the attempt before")
		require.Equal(t, got["rows"], again["rows"])
		cut, err := call(t, "call_2", "BIGQUERY_QUERY", `{"project":"test","query":"SELECT id FROM sales.invoices","max_rows":1}`)
		require.NoError(t, err)
		require.Equal(t, true, cut["truncated"])
	})
	t.Run("nested", func(t *testing.T) {
		got, err := call(t, "call_3", "BIGQUERY_QUERY", `{"project":"test","query":"SELECT ARRAY_AGG(STRUCT(vendor, id) ORDER BY id) AS all_of_them FROM sales.invoices"}`)
		require.NoError(t, err)
		require.Equal(t, []any{map[string]any{"all_of_them": []any{
			map[string]any{"vendor": "Alpha", "id": 1.0}, map[string]any{"vendor": "Beta", "id": 2.0},
		}}}, got["rows"])
	})
	t.Run("refusals", func(t *testing.T) {
		for _, query := range []string{"SELECT nope FROM sales.invoices", "DELETE FROM sales.invoices WHERE true", "SELECT 1; DELETE FROM sales.invoices WHERE true"} {
			_, err := call(t, "call_4", "BIGQUERY_QUERY", `{"project":"test","query":"`+query+`"}`)
			refused := &connector.Error{}
			require.ErrorAs(t, err, &refused)
			require.True(t, refused.Answered, "%s: %v", query, err)
		}
		got, err := call(t, "call_5", "BIGQUERY_QUERY", `{"project":"test","query":"SELECT COUNT(*) AS n FROM sales.invoices"}`)
		require.NoError(t, err)
		require.Equal(t, []any{map[string]any{"n": 2.0}}, got["rows"])
	})
	t.Run("token", func(t *testing.T) {
		stranger := *session
		stranger.HTTP = http.DefaultClient
		tool, _ := bigquery.New().Find("BIGQUERY_LIST_DATASETS")
		_, err := tool.Call(t.Context(), &stranger, connector.Call{Arguments: json.RawMessage(`{"project":"test"}`)})
		require.Error(t, err)
	})
}
