package offline_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/dev/offline"
)

// BenchmarkCreate measures a request from its bytes to those of its answer, without a network.
func BenchmarkCreate(b *testing.B) {
	catalogue, err := os.ReadFile("planner/testdata/tools.json")
	require.NoError(b, err)
	var tools []map[string]any
	require.NoError(b, json.Unmarshal(catalogue, &tools))
	for _, tool := range tools {
		tool["type"] = "function"
	}
	mail := func(name, required string) map[string]any {
		return map[string]any{"type": "function", "name": "mcp_mailbox__" + name, "parameters": map[string]any{
			"type": "object", "properties": map[string]any{required: str(), "after": str(), "before": str()}, "required": []string{required},
		}}
	}
	mailbox := []map[string]any{mail("search_emails", "query"), mail("get_email", "id")}

	// The last step of the seed scenario: 25 mails of 2 KB each have been read.
	long := []any{map[string]any{"role": "user", "content": seed}}
	call := func(name, output string) {
		id := fmt.Sprint("call_", len(long))
		long = append(long, map[string]any{"type": "function_call", "call_id": id, "name": name, "arguments": "{}"},
			map[string]any{"type": "function_call_output", "call_id": id, "output": output})
	}
	call("mcp_mailbox__search_emails", `{"emails":[`+strings.Repeat(`{"id":"m"},`, 24)+`{"id":"m"}]}`)
	for range 25 {
		call("mcp_mailbox__get_email", `{"id":"m","from":"a@b.example","subject":"Invoice","date":"2026-11-18","body":"`+strings.Repeat("Lorem ipsum dolor. ", 100)+`Total: EUR 5"}`)
	}
	for name, request := range map[string]map[string]any{
		"first_step":        {"input": seed, "tools": mailbox},
		"final_50KB":        {"input": long, "tools": mailbox},
		"planner_36_tools":  {"input": "Read the file /srv/data/notes.txt", "tools": tools},
		"simulation_1_tool": {"input": "#sim: steps 5 tool search_emails", "tools": mailbox[:1]},
		"first_step_stream": {"input": seed, "tools": mailbox, "stream": true},
	} {
		request["model"], request["store"] = offline.Model, false
		body, err := json.Marshal(request)
		require.NoError(b, err)
		b.Run(name, func(b *testing.B) {
			h := handler(b)
			require.Contains(b, serve(b.Context(), h, body), "200 ")
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				serve(b.Context(), h, body)
			}
		})
	}
}
