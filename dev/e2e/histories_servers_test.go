package e2e_test

import (
	"encoding/json"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"steward/dev/counterpart/authority"
	"steward/internal/automation"
)

// sessionMoved kills the worker that holds the run's session with a server.
func (u *user) sessionMoved() int64 {
	u.t.Helper()
	id := u.accept(map[string]any{"mcp_server_id": 1, "instructions": simulate(12, "search_emails", map[string]any{"query": "b{{step}}"})})
	u.until(id, time.Minute, func(v view) bool { return len(v.ToolCalls) >= 3 })
	u.kill(u.t, "worker")
	require.Equal(u.t, "success", u.until(id, 2*time.Minute, ended).State)
	return id
}

// reviewed is a run that waits because its tool is described in other words than before, until its owner has looked.
func (u *user) reviewed() int64 {
	u.t.Helper()
	self, dir := serverCommand(u.t)
	const name = "shifty"
	require.Equal(u.t, 201, u.do("POST", "/mcp/servers", map[string]any{
		"name": name, "command": self, "args": []string{dir}, "trusted": true, "env": map[string]string{serverFolder: dir},
	}).status)
	id := u.accept(map[string]any{"servers": []string{name}, "instructions": simulate(1, "post", map[string]string{"text": "once"})})
	u.until(id, time.Minute, inState("waiting_for_approval"))
	changeTools(u.t, dir)
	u.decide(id, "approve")
	v := u.until(id, time.Minute, func(v view) bool { return v.State == "waiting_for_approval" && v.Waiting != nil })
	require.Equal(u.t, "post", v.Waiting.Tool, "%+v", v.Waiting)
	require.Empty(u.t, effects(dir, ""), "nothing was sent after the change")
	u.accepts(name, "post")
	v = u.until(id, time.Minute, ended)
	require.Equal(u.t, "success", v.State, "%+v", v)
	require.Len(u.t, effects(dir, ""), 1)
	return id
}

// accepts agrees to a tool's definition as it is now.
func (u *user) accepts(server, tool string) {
	u.t.Helper()
	a := u.do("GET", "/mcp/servers/"+server+"/tools", nil)
	require.Equal(u.t, 200, a.status, "%s", a.body)
	var listed struct {
		Tools []struct {
			Name  string `json:"name"`
			State string `json:"state"`
			Pin   string `json:"pin"`
		} `json:"tools"`
	}
	require.NoError(u.t, json.Unmarshal(a.body, &listed))
	for _, t := range listed.Tools {
		if t.Name == tool {
			require.Equal(u.t, "quarantined", t.State)
			a = u.do("POST", "/mcp/servers/"+server+"/tools/"+tool+"/review", map[string]any{"accept": true, "pin": t.Pin})
		}
	}
	require.Equal(u.t, 200, a.status, "%s", a.body)
}

// consented is a run that waits for its owner to sign in at a remote server, while its worker dies.
func (u *user) consented(admin *user) int64 {
	u.t.Helper()
	guarded := authority.Guard(u.t, authority.Start(u.t, authority.Options{}))
	a := admin.do("POST", "/mcp/servers", map[string]any{"name": "guarded", "transportType": "streamable_http", "url": guarded.URL})
	require.Equal(u.t, 201, a.status, "%s", a.body)
	id := u.accept(map[string]any{"servers": []string{"guarded"}, "approval": "never", "instructions": simulate(1, "whoami", map[string]any{})})
	v := u.until(id, time.Minute, inState("waiting_for_auth"))
	require.NotNil(u.t, v.Waiting)
	require.NotEmpty(u.t, v.Waiting.URL, "a link to consent")
	u.kill(u.t, "worker")
	page := authority.NewBrowser(u.t).Open(u.t, v.Waiting.URL, nil)
	require.Equal(u.t, 200, page.Status, page.Body)
	v = u.until(id, time.Minute, func(v view) bool { return ended(v) || v.State == "waiting_for_approval" })
	if v.State == "waiting_for_approval" {
		u.decide(id, "approve")
		v = u.until(id, time.Minute, ended)
	}
	require.Equal(u.t, "success", v.State, "%+v", v)
	require.Equal(u.t, "done", v.ToolCalls[0].State)
	return id
}

// remoteTask is a run whose tool is another user's Steward, which answers with a task. The worker dies while the task
// goes on.
func (u *user) remoteTask(bob *user) int64 {
	u.t.Helper()
	a := u.do("POST", "/mcp/servers", map[string]any{
		"name": "steward-of-bob", "transportType": "streamable_http", "url": u.url + "/mcp", "headers": map[string]string{"Authorization": "Bearer " + bob.token},
	})
	require.Equal(u.t, 201, a.status, "%s", a.body)
	require.Contains(u.t, string(a.body), `"status":"connected"`)
	require.NotContains(u.t, string(a.body), bob.token)
	before := len(u.outbox(u.t))
	id := u.accept(map[string]any{
		"servers": []string{"steward-of-bob"}, "approval": "never",
		"instructions": simulate(1, "run_automation", map[string]any{"mcp_server_id": 1, "instructions": "Send the sum of last week's invoices to boss@example.com"}),
	})
	if v := u.until(id, time.Minute, func(v view) bool { return ended(v) || v.State == "waiting_for_approval" || len(bob.runs()) > 0 }); v.State == "waiting_for_approval" {
		u.decide(id, "approve")
	}
	inner := bob.firstRun(time.Minute)
	bob.until(inner, time.Minute, inState("waiting_for_approval"))
	u.kill(u.t, "worker")
	bob.decide(inner, "approve")
	bob.until(inner, time.Minute, ended)
	v := u.until(id, 2*time.Minute, ended)
	require.Equal(u.t, "success", v.State, "%+v", v)
	require.Len(u.t, bob.runs(), 1, "called once")
	require.Len(u.t, u.outbox(u.t), before+1)
	return id
}

// installed installs a package and returns the id of the workflow that did it.
func (u *user) installed(c client.Client) string {
	u.t.Helper()
	a := u.do("POST", "/packages/install", map[string]any{"name": "@modelcontextprotocol/server-memory", "version": "2026.8.31", "serverName": "memory"})
	require.Equal(u.t, 200, a.status, "%s", a.body)
	var id string
	require.Eventually(u.t, func() bool {
		found, err := c.ListWorkflow(u.t.Context(), &workflowservice.ListWorkflowExecutionsRequest{
			Query: "WorkflowType = '" + automation.WorkflowPackageChange + "' AND ExecutionStatus = 'Completed'",
		})
		if err != nil || len(found.GetExecutions()) == 0 {
			return false
		}
		id = found.GetExecutions()[0].GetExecution().GetWorkflowId()
		return true
	}, 30*time.Second, 100*time.Millisecond)
	return id
}
