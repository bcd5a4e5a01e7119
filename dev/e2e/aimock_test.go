package e2e_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/dev/counterpart/aimock"
)

// fixtures are what the independent model server answers.
const fixtures = `{"fixtures":[
{"match":{"userMessage":"invoice emails","hasToolResult":false},"response":{"toolCalls":[
  {"id":"call_a","name":"mcp_mailbox__search_emails","arguments":{"query":"invoice"}},
  {"id":"call_b","name":"mcp_mailbox__search_emails","arguments":{"query":"lunch"}}],
  "usage":{"input_tokens":1200,"output_tokens":40,"total_tokens":1240}}},
{"match":{"toolCallId":"call_send"},"response":{"content":"Sent.","usage":{"input_tokens":1500,"output_tokens":10,"total_tokens":1510}}},
{"match":{"userMessage":"invoice emails","hasToolResult":true},"response":{"content":"Mailing.","toolCalls":[
  {"id":"call_send","name":"mcp_mailbox__send_email","arguments":{"to":"me@example.com","subject":"Invoices","body":"three"}}],
  "usage":{"input_tokens":1400,"output_tokens":30,"total_tokens":1430}}},
{"match":{"userMessage":"as figures"},"response":{"content":"{\"total\":200.5,\"currency\":\"EUR\"}"}},
{"match":{"userMessage":"rate limit","sequenceIndex":0},"response":{"error":{"message":"x","type":"tokens","code":"rate_limit_exceeded"},"status":429,"retryAfter":2}},
{"match":{"userMessage":"rate limit"},"response":{"content":"after the limit"}},
{"match":{"userMessage":"fail","sequenceIndex":0},"response":{"error":{"message":"x","type":"server_error","code":"server_error"},"status":500}},
{"match":{"userMessage":"fail"},"response":{"content":"recovered"}},
{"match":{"userMessage":"cut","sequenceIndex":0},"response":{"content":"a text that is long enough to break off in the middle of it"},"latency":20,"chunkSize":8,"truncateAfterChunks":4},
{"match":{"userMessage":"cut"},"response":{"content":"whole again"}}
]}`

// A model server that other people wrote: our own stand-in could share our mistakes.
func TestIndependentModelServer(t *testing.T) {
	t.Parallel()
	model := aimock.Start(t, fixtures)
	s := own(t, "OPENAI_BASE_URL="+model.URL, "OPENAI_API_KEY="+aimock.Key, "STEWARD_MODEL=gpt-5-mini", "STEWARD_MODEL_FEATURES=stream")
	u := s.as(t, "alice")

	id := u.accept(map[string]any{"mcp_server_id": 1, "instructions": "Read the invoice emails and mail three to me@example.com"})
	u.until(id, time.Minute, inState("waiting_for_approval"))
	u.decide(id, "approve")
	v := u.until(id, time.Minute, ended)
	require.Equal(t, "success", v.State, "%+v", v)
	require.Equal(t, "Sent.", v.Output.Text)
	require.Len(t, v.ToolCalls, 3, "two side by side, then the mail")
	require.Len(t, s.outbox(t), 1)
	require.EqualValues(t, 1240+1430+1510, v.Usage.TotalTokens)

	v = u.until(u.accept(map[string]any{
		"mcp_server_id": 1, "instructions": "Answer as figures",
		"output_schema": map[string]any{
			"type": "object", "required": []string{"total", "currency"}, "additionalProperties": false,
			"properties": map[string]any{"total": map[string]any{"type": "number"}, "currency": map[string]any{"type": "string"}},
		},
	}), time.Minute, ended)
	require.Equal(t, "success", v.State, "%+v", v)
	require.JSONEq(t, `{"total":200.5,"currency":"EUR"}`, string(v.Output.Data))

	for instructions, want := range map[string]string{
		"Say it after the rate limit": "after the limit", "Please fail once": "recovered", "Be cut off once": "whole again",
	} {
		v := u.until(u.accept(map[string]any{"mcp_server_id": 1, "instructions": instructions}), time.Minute, ended)
		require.Equal(t, "success", v.State, "%s: %+v", instructions, v)
		require.Equal(t, want, v.Output.Text)
	}
}
