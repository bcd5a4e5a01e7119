package offline_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"steward/dev/offline"
)

// handler is a fresh model, as after a restart.
func handler(t require.TestingT) http.Handler {
	server, err := offline.New(offline.Options{Clock: now, Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	return server.Handler()
}

func serve(ctx context.Context, h http.Handler, body []byte) string {
	request := httptest.NewRequestWithContext(ctx, http.MethodPost, "/v1/responses", strings.NewReader(string(body)))
	request.Header.Set("Authorization", "Bearer k")
	recorder := httptest.NewRecorder()
	h.ServeHTTP(recorder, request)
	return fmt.Sprintf("%d %s", recorder.Code, recorder.Body)
}

// A request has one answer: on a fresh server, on one that has answered much else, and on one that
// answers it eight times at once.
func TestAnswersDependOnTheRequestAlone(t *testing.T) {
	t.Parallel()
	used := handler(t)
	rapid.Check(t, func(t *rapid.T) {
		body := drawRequest(t)
		want := serve(t.Context(), handler(t), body)
		require.Equal(t, want, serve(t.Context(), used, body))
		answers := make([]string, 8)
		var group sync.WaitGroup
		for i := range answers {
			group.Go(func() { answers[i] = serve(t.Context(), used, body) })
		}
		group.Wait()
		for _, got := range answers {
			require.Equal(t, want, got)
		}
	})
}

// drawRequest makes a request in any position of a conversation, with outputs of any kind.
func drawRequest(t *rapid.T) []byte {
	words := []string{
		"find", "emails", "about", "invoices", "last week", "summarise them", "and mail me the sum", "and mail the sum to a@b.example", "read", "notes/a.txt",
		"list files", "digest", "folder", "then", "\"quoted\"", "42", "delete", "calendar", "brief", "#sim: steps 2 tool search_emails\n", "\n#sim: inject\n",
	}
	outputs := []string{
		`{"emails":[{"id":"m1"},{"id":"m2"}]}`, "<tool-result error=\"true\">\nno\n</tool-result>", `{"id":"m1","body":"Total: EUR 5"`, "plain", "", `[1,2]`,
	}
	names := []string{
		"mcp_mailbox__search_emails", "mcp_mailbox__get_email", "mcp_mailbox__send_email", "mcp_files__read_file", "mcp_files__list_files",
		"GMAIL_SEARCH_EMAILS", "GMAIL_GET_EMAIL", "GMAIL_SEND_EMAIL", "GMAIL_GET_PROFILE",
	}
	items := []any{map[string]any{"role": "user", "content": strings.Join(rapid.SliceOfN(rapid.SampledFrom(words), 0, 12).Draw(t, "words"), " ")}}
	for i := range rapid.IntRange(0, 8).Draw(t, "calls") {
		id := fmt.Sprint("call_", i)
		items = append(items,
			map[string]any{"type": "function_call", "call_id": id, "name": rapid.SampledFrom(names).Draw(t, "name"), "arguments": "{}"},
			map[string]any{"type": "function_call_output", "call_id": id, "output": rapid.SampledFrom(outputs).Draw(t, "output")})
	}
	var offered []any
	for _, name := range rapid.SliceOfDistinct(rapid.SampledFrom(names), rapid.ID).Draw(t, "tools") {
		offered = append(offered, map[string]any{"type": "function", "name": name, "parameters": map[string]any{
			"properties": map[string]any{"query": str(), "path": str(), "id": str(), "to": str(), "after": str()},
		}})
	}
	request := map[string]any{"model": offline.Model, "input": items, "tools": offered, "stream": rapid.Bool().Draw(t, "stream")}
	if rapid.Bool().Draw(t, "data") {
		request["text"] = map[string]any{"format": map[string]any{"type": "json_schema", "name": "result", "schema": json.RawMessage(invoiceSchema)}}
	}
	body, err := json.Marshal(request)
	require.NoError(t, err)
	return body
}
