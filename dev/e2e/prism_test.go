package e2e_test

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/dev/contract"
)

// TestEveryAnswerIsTheDocuments sends the main job through Prism, which judges each answer by openapi.json
// and answers 500 in place of one that breaks it.
func TestEveryAnswerIsTheDocuments(t *testing.T) {
	t.Parallel()
	u := behindPrism(t, "judged")

	read := u.accept(map[string]any{"mcp_server_id": 1, "tool_name": "search_emails", "instructions": "Find all emails from last week about invoices and summarise them"})
	require.Equal(t, "success", u.until(read, time.Minute, ended).Status)
	send := u.accept(map[string]any{
		"mcp_server_id": 1, "approval": "policy", "limits": map[string]any{"steps": 9, "tokens": 90_000, "wall_seconds": 60}, "metadata": map[string]any{"ticket": "FIN-7"},
		"instructions": "Find all emails from last week about invoices, total them and send the sum to boss@example.com",
	})
	waiting := u.until(send, time.Minute, inState("waiting_for_approval"))

	for _, c := range waiting.ToolCalls {
		if c.Decision != nil {
			decision := path(send, "calls/"+c.ID+"/decision")
			u.answers(409, "POST", decision, map[string]any{"decision": "approve", "digest": "another"})
			u.answers(422, "POST", decision, map[string]any{"decision": "skip", "digest": c.Decision.Digest})
		}
	}
	u.decide(send, "approve")
	require.Equal(t, "success", u.until(send, time.Minute, ended).Status)
	u.answers(200, "GET", path(send, "history"), nil)
	u.answers(409, "POST", path(send, "cancel"), nil)

	cancelled := u.accept(map[string]any{"mcp_server_id": 1, "instructions": "Send the sum of last week's invoices to nobody@example.com"})
	u.until(cancelled, time.Minute, inState("waiting_for_approval"))
	u.answers(200, "POST", path(cancelled, "cancel"), nil)
	require.Equal(t, "cancelled", u.until(cancelled, time.Minute, ended).State)
	u.answers(200, "GET", path(cancelled, "history"), nil)

	var page struct {
		Next string `json:"next_cursor"`
	}
	require.NoError(t, json.Unmarshal(u.answers(200, "GET", "/automation/runs?limit=2&status=success", nil).body, &page))
	u.answers(200, "GET", "/automation/runs?limit=1", nil)
	require.Empty(t, page.Next, "two of the three succeeded")
}

func TestEveryOtherAnswerIsTheDocuments(t *testing.T) {
	t.Parallel()
	u := behindPrism(t, "judged-too")
	for _, path := range []string{"/health", "/ready", "/openapi.json", "/.well-known/jwks.json", "/.well-known/oauth-protected-resource", "/auth/me"} {
		u.answers(200, "GET", path, nil)
	}
	u.answers(404, "GET", "/automation/run/999999", nil)
	u.answers(404, "GET", "/automation/run/999999/events", nil)
	u.answers(404, "POST", "/automation/run/999999/cancel", nil)
	u.answers(422, "POST", "/automation/run", map[string]any{"instructions": "x", "mcp_server_id": 999_999})
	u.answers(403, "POST", "/codec/decode", map[string]any{"payloads": []any{}})
	u.answers(403, "GET", "/automation/runs?user_id=somebody", nil)

	key := map[string]any{"instructions": "Find all emails from last week about invoices and summarise them", "mcp_server_id": 1}
	first := u.callWithKey(t.Context(), "/automation/run", u.token, "judged", key)
	require.Equal(t, 202, first.status, "%s", first.body)
	again := u.callWithKey(t.Context(), "/automation/run", u.token, "judged", key)
	require.Equal(t, "true", again.header.Get("Idempotency-Replayed"))
	require.JSONEq(t, string(first.body), string(again.body))

	u.answers(200, "POST", "/auth/logout", nil)
	u.answers(401, "GET", "/automation/runs", nil)
}

// TestPrismRefusesWhatWeRefuse: the document says of bad requests what the service does.
func TestPrismRefusesWhatWeRefuse(t *testing.T) {
	t.Parallel()
	direct := running(t).as(t, "refused")
	judged := *direct
	judged.stack = throughPrism(t, direct.stack)
	for _, c := range []struct {
		method, path string
		body         any
	}{
		{"POST", "/automation/run", map[string]any{}},
		{"POST", "/automation/run", map[string]any{"instructions": ""}},
		{"POST", "/automation/run", map[string]any{"instructions": "x", "unknown": 1}},
		{"POST", "/automation/run", map[string]any{"instructions": "x", "mcp_server_id": "1"}},
		{"POST", "/automation/run", map[string]any{"instructions": "x", "limits": map[string]any{"steps": 0}}},
		{"GET", "/automation/runs?limit=201", nil},
		{"GET", "/automation/runs?status=" + strings.Repeat("x", 9), nil},
		{"GET", "/automation/run/0", nil},
		{"POST", "/automation/run/1/calls/call_a/decision", map[string]any{"decision": "approve"}},
	} {
		for _, u := range []*user{direct, &judged} {
			u.answers(422, c.method, c.path, c.body)
		}
	}
	direct.token, judged.token = "", ""
	for _, u := range []*user{direct, &judged} {
		u.answers(401, "GET", "/automation/runs", nil)
	}
}

func TestEventStreamIsTheDocuments(t *testing.T) {
	t.Parallel()
	u := running(t).as(t, "streamed") // Prism would hold the stream back until it ends
	id := u.accept(map[string]any{"mcp_server_id": 1, "instructions": "Find all emails from last week about invoices and summarise them"})
	stream := u.answers(200, "GET", path(id, "events"), nil)
	require.Equal(t, "text/event-stream", stream.header.Get("Content-Type"))
	events := strings.Split(strings.TrimSpace(string(stream.body)), "\n\n")
	var last struct {
		Seq  int64  `json:"seq"`
		Kind string `json:"kind"`
	}
	_, data, found := strings.Cut(events[len(events)-1], "data: ")
	require.True(t, found, "%s", stream.body)
	require.NoError(t, json.Unmarshal([]byte(data), &last))
	require.Equal(t, "run.finished", last.Kind)
	over := u.answers(204, "GET", path(id, "events?after=")+strconv.FormatInt(last.Seq, 10), nil)
	require.Empty(t, over.body)
}

func behindPrism(t *testing.T, name string) *user {
	t.Helper()
	u := running(t).as(t, name)
	u.stack = throughPrism(t, u.stack)
	return u
}

func throughPrism(t *testing.T, s *stack) *stack {
	t.Helper()
	judged := *s
	judged.url = contract.Prism(t, contract.Document(t), s.url)
	return &judged
}

// answers makes a call and expects its status. In place of an answer that breaks the document comes a 500
// that says where.
func (u *user) answers(status int, method, path string, body any) answer {
	u.t.Helper()
	a := u.do(method, path, body)
	require.Equal(u.t, status, a.status, "%s %s: %s", method, path, a.body)
	return a
}
