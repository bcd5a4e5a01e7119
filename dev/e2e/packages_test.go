package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// published is a real MCP server as its authors published it, with one call that shows that it works.
type published struct {
	name, version string
	install       map[string]any
	tool          string
	args          map[string]any
	says          string
	also          func(u *user, server string)
}

// Real servers: installed over HTTP, called over HTTP, used inside a run, removed without a trace.
func TestPublishedServers(t *testing.T) {
	t.Parallel()
	s := own(t)
	admin := s.asAdmin(t, "admin")
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "note.txt"), []byte("written by a person"), 0o644))
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		_, _ = w.Write([]byte("a page of ours"))
	}))
	t.Cleanup(page.Close)
	for _, p := range []published{ //nolint:paralleltest // one package manager at a time is load enough
		{name: "@modelcontextprotocol/server-everything", version: "2026.8.31", tool: "echo", args: map[string]any{"message": "hello there"}, says: "hello there", also: answersAServer},
		{
			name: "@modelcontextprotocol/server-filesystem", version: "2026.8.31", install: map[string]any{"args": []string{dir}},
			tool: "read_text_file", args: map[string]any{"path": filepath.Join(dir, "note.txt")}, says: "written by a person",
		},
		{name: "@modelcontextprotocol/server-memory", version: "2026.8.31", tool: "read_graph", args: map[string]any{}, says: "entities"},
		{
			name: "@modelcontextprotocol/server-sequential-thinking", version: "2026.8.31", tool: "sequentialthinking",
			args: map[string]any{"thought": "measure first", "nextThoughtNeeded": false, "thoughtNumber": 1, "totalThoughts": 1}, says: "thoughtHistoryLength",
		},
		{
			name: "mcp-server-time", version: "2026.10.19", install: map[string]any{"runtime": "python", "pythonModule": "mcp_server_time"},
			tool: "get_current_time", args: map[string]any{"timezone": "Europe/Berlin"}, says: "Europe/Berlin",
		},
		{
			name: "mcp-server-fetch", version: "2026.10.24",
			install: map[string]any{"runtime": "python", "pythonModule": "mcp_server_fetch", "pythonArgs": []string{"--ignore-robots-txt", "--allow-private-ips"}},
			tool:    "fetch", args: map[string]any{"url": page.URL}, says: "a page of ours",
		},
	} {
		t.Run(filepath.Base(p.name), func(t *testing.T) {
			u := &user{stack: s, t: t, name: "admin", token: admin.token}
			server := filepath.Base(p.name)
			request := map[string]any{"name": p.name, "version": p.version, "serverName": server}
			for member, value := range p.install {
				request[member] = value
			}
			u.answersLike(200, "POST", "/packages/install", request,
				`{"success":true,"package":{"name":"x","version":"1","status":"installed","installed":"t","mcpServerId":"x","enabled":true},"server":{"name":"x","status":"connected","enabled":true}}`)
			a := u.do("POST", "/mcp/tool/call", map[string]any{"serverName": server, "methodName": p.tool, "args": p.args})
			require.Equal(t, 200, a.status, "%s", a.body)
			require.Contains(t, string(a.body), p.says)

			id := u.accept(map[string]any{"servers": []string{server}, "approval": "never", "instructions": simulate(1, p.tool, p.args)})
			v := u.until(id, time.Minute, func(v view) bool { return ended(v) || v.State == "waiting_for_approval" })
			if v.State == "waiting_for_approval" {
				u.decide(id, "approve")
				v = u.until(id, time.Minute, ended)
			}
			require.Equal(t, "success", v.State, "%+v", v)
			require.Equal(t, "done", v.ToolCalls[0].State, "%+v", v.ToolCalls)
			if p.also != nil {
				p.also(u, server)
			}
			u.answersLike(200, "GET", "/packages/by-name/"+p.name, nil, `{"success":true,"package":{"name":"x","version":"1","status":"installed","enabled":true}}`)
			u.answersLike(200, "DELETE", "/packages/"+p.name, nil, `{"success":true}`)
			require.Equal(t, 404, u.do("GET", "/mcp/servers/"+server, nil).status)
		})
	}
	left, err := filepath.Glob(filepath.Join(s.dir, "packages", "*", "*"))
	require.NoError(t, err)
	require.Empty(t, left, "nothing is left of what was removed")
	var listed struct{ Packages []json.RawMessage }
	a := admin.do("GET", "/packages", nil)
	require.NoError(t, json.Unmarshal(a.body, &listed), "%s", a.body)
	require.Empty(t, listed.Packages)
}

// answersAServer lets a server ask the person behind a run in the middle of a call.
func answersAServer(u *user, server string) {
	u.t.Helper()
	id := u.accept(map[string]any{"servers": []string{server}, "approval": "never", "instructions": simulate(1, "trigger-elicitation-request", map[string]any{})})
	v := u.until(id, time.Minute, func(v view) bool {
		return ended(v) || v.State == "waiting_for_approval" || v.State == "waiting_for_decision"
	})
	if v.State == "waiting_for_approval" {
		u.decide(id, "approve")
		v = u.until(id, time.Minute, func(v view) bool { return ended(v) || v.State == "waiting_for_decision" })
	}
	require.Equal(u.t, "waiting_for_decision", v.State, "%+v", v)
	call := v.ToolCalls[0]
	require.Equal(u.t, "input", call.Decision.Kind)
	path := fmt.Sprintf("/automation/run/%d/calls/%s/decision", id, call.ID)
	a := u.do("POST", path, map[string]any{"decision": "answer", "digest": call.Decision.Digest, "content": map[string]any{"name": 7}})
	require.Equal(u.t, 422, a.status, "%s", a.body)
	a = u.do("POST", path, map[string]any{"decision": "answer", "digest": call.Decision.Digest, "content": map[string]any{"name": "Ada Example", "check": true}})
	require.Equal(u.t, 200, a.status, "%s", a.body)
	v = u.until(id, time.Minute, ended)
	require.Equal(u.t, "success", v.State, "%+v", v)
	require.Equal(u.t, "done", v.ToolCalls[0].State)
}
