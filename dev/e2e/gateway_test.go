package e2e_test

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"
)

const modernMCP, tasksExtension = "2026-07-28", "io.modelcontextprotocol/tasks"

// bearerTransport is a client's own token on every request.
type bearerTransport string

func (b bearerTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+string(b))
	return http.DefaultTransport.RoundTrip(r)
}

// session is somebody else's MCP client, signed in as u.
func (u *user) session(version string) *mcp.ClientSession {
	u.t.Helper()
	client := mcp.NewClient(&mcp.Implementation{Name: "e2e", Version: "1"}, nil)
	s, err := client.Connect(u.t.Context(), &mcp.StreamableClientTransport{
		Endpoint: u.url + "/mcp", HTTPClient: &http.Client{Transport: bearerTransport(u.token)},
	}, &mcp.ClientSessionOptions{ProtocolVersion: version})
	require.NoError(u.t, err)
	u.t.Cleanup(func() { _ = s.Close() })
	return s
}

// rpc is one request of 2026-07-28 by a client that knows tasks; the error of the protocol fails the test.
func (u *user) rpc(method, name string, params map[string]any) map[string]any {
	u.t.Helper()
	params["_meta"] = map[string]any{
		"io.modelcontextprotocol/protocolVersion":    modernMCP,
		"io.modelcontextprotocol/clientInfo":         map[string]any{"name": "e2e", "version": "1"},
		"io.modelcontextprotocol/clientCapabilities": map[string]any{"extensions": map[string]any{tasksExtension: map[string]any{}}, "elicitation": map[string]any{"form": map[string]any{}}},
	}
	a := u.send(u.t.Context(), "POST", "/mcp", map[string]string{
		"Authorization": bearer(u.token), "Accept": "application/json, text/event-stream",
		"Mcp-Protocol-Version": modernMCP, "Mcp-Method": method, "Mcp-Name": name,
	}, map[string]any{"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
	body := a.body
	if strings.HasPrefix(a.header.Get("Content-Type"), "text/event-stream") {
		for line := range strings.Lines(string(a.body)) {
			if data, ok := strings.CutPrefix(line, "data:"); ok && strings.Contains(data, `"id"`) {
				body = []byte(strings.TrimSpace(data))
			}
		}
	}
	var said struct {
		Result map[string]any  `json:"result"`
		Error  json.RawMessage `json:"error"`
	}
	require.NoError(u.t, json.Unmarshal(body, &said), "%s: %s", method, a.body)
	require.Empty(u.t, said.Error, "%s: %s", method, a.body)
	require.NotNil(u.t, said.Result, "%s: HTTP %d %s", method, a.status, a.body)
	return said.Result
}

// task asks about a task until ok.
func (u *user) task(id string, within time.Duration, ok func(map[string]any) bool) map[string]any {
	u.t.Helper()
	ctx, cancel := context.WithTimeout(u.t.Context(), within)
	defer cancel()
	for {
		task := u.rpc("tasks/get", id, map[string]any{"taskId": id})
		if ok(task) {
			return task
		}
		require.NoError(u.t, ctx.Err(), "%v", task)
		pause(ctx, 50*time.Millisecond)
	}
}

func inStatus(status string) func(map[string]any) bool {
	return func(task map[string]any) bool { return task["status"] == status }
}

// An agent elsewhere starts an automation as an MCP task; the worker is killed in the middle, a person agrees through
// the same client, and the mail stands once.
func TestAutomationAsAnMCPTask(t *testing.T) {
	t.Parallel()
	s := own(t)
	u := s.as(t, "alice")
	created := u.rpc("tools/call", "run_automation", map[string]any{"name": "run_automation", "arguments": map[string]any{
		"mcp_server_id": 1, "instructions": "Find all emails from last week about invoices, total them and send the sum to boss@example.com",
	}})
	require.Equal(t, "task", created["resultType"], "%v", created)
	id, _ := created["taskId"].(string)
	require.NotEmpty(t, id)
	s.kill(t, "worker")
	task := u.task(id, time.Minute, inStatus("input_required"))
	requests, _ := task["inputRequests"].(map[string]any)
	require.Len(t, requests, 1, "%v", task)
	require.Empty(t, s.outbox(t))

	mallory := s.as(t, "mallory")
	a := mallory.send(t.Context(), "POST", "/mcp", map[string]string{
		"Authorization": bearer(mallory.token), "Accept": "application/json, text/event-stream", "Mcp-Protocol-Version": modernMCP, "Mcp-Method": "tasks/get", "Mcp-Name": id,
	}, map[string]any{"jsonrpc": "2.0", "id": 1, "method": "tasks/get", "params": map[string]any{"taskId": id, "_meta": map[string]any{
		"io.modelcontextprotocol/protocolVersion": modernMCP, "io.modelcontextprotocol/clientInfo": map[string]any{"name": "m", "version": "1"},
		"io.modelcontextprotocol/clientCapabilities": map[string]any{"extensions": map[string]any{tasksExtension: map[string]any{}}},
	}}})
	require.Contains(t, string(a.body), "-32602", "somebody else's task is unknown: %s", a.body)

	answers := map[string]any{}
	for key := range requests {
		answers[key] = map[string]any{"action": "accept", "content": map[string]any{"decision": "approve"}}
	}
	u.rpc("tasks/update", id, map[string]any{"taskId": id, "inputResponses": answers})
	s.kill(t, "worker")
	task = u.task(id, time.Minute, inStatus("completed"))
	result, err := json.Marshal(task["result"])
	require.NoError(t, err)
	require.Contains(t, string(result), `"success"`)
	require.Len(t, s.outbox(t), 1)
	require.Contains(t, s.steward(t, "audit", "verify", "--temporal"), "valid")
}

// Steward is a gateway: what a user has connected is called through one MCP server, in every revision.
func TestGatewayInEveryRevision(t *testing.T) {
	t.Parallel()
	s := running(t)
	u := s.as(t, "gateway")
	for _, version := range []string{"2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", modernMCP} {
		session := u.session(version)
		listed, err := session.ListTools(t.Context(), nil)
		require.NoError(t, err, version)
		var names []string
		for _, tool := range listed.Tools {
			names = append(names, tool.Name)
		}
		for _, want := range []string{"get_automation_runs", "get_mcp_servers", "get_run_detail", "get_workflow_history", "run_automation", "cancel_run", "decide_call", "list_tools", "call_tool"} {
			require.True(t, slices.Contains(names, want), "%s: %v", version, names)
		}
		res, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: "list_tools", Arguments: map[string]any{}})
		require.NoError(t, err, version)
		doc, err := json.Marshal(res)
		require.NoError(t, err)
		require.Contains(t, string(doc), "search_emails", version)
		res, err = session.CallTool(t.Context(), &mcp.CallToolParams{Name: "call_tool", Arguments: map[string]any{
			"name": "mcp_mailbox__search_emails", "arguments": map[string]any{"query": "invoice"},
		}})
		require.NoError(t, err, version)
		doc, err = json.Marshal(res)
		require.NoError(t, err)
		require.False(t, res.IsError, "%s: %s", version, doc)
		require.Contains(t, string(doc), "Invoice", version)
	}
}

func (u *user) runs() []int64 {
	u.t.Helper()
	var listed struct {
		Runs []struct {
			RunID int64 `json:"run_id"`
		} `json:"runs"`
	}
	a := u.do("GET", "/automation/runs", nil)
	if a.status != 200 {
		return nil
	}
	require.NoError(u.t, json.Unmarshal(a.body, &listed), "%s", a.body)
	var ids []int64
	for _, r := range listed.Runs {
		ids = append(ids, r.RunID)
	}
	return ids
}

func (u *user) firstRun(within time.Duration) int64 {
	u.t.Helper()
	ctx, cancel := context.WithTimeout(u.t.Context(), within)
	defer cancel()
	for len(u.runs()) == 0 {
		require.NoError(u.t, ctx.Err(), "%s has no run", u.name)
		pause(ctx, 50*time.Millisecond)
	}
	return u.runs()[0]
}
