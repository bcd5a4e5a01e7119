package e2e_test

import (
	"flag"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/temporalproto"
	"go.temporal.io/sdk/workflow"

	"steward/internal/automation"
	"steward/internal/durable"
	"steward/internal/secret"
	"steward/workflows"
)

var record = flag.Bool("record", false, "write the histories that workflows/replay_test.go reads")

// histories is where recorded ones are, beside the key that seals their payloads and nothing else.
var histories = filepath.Join("..", "..", "workflows", "testdata", "histories")

// TestHistories lets real runs leave real histories: each replays on the workflow as it is, and with
// -record it is kept, so that later workflows are held to it.
func TestHistories(t *testing.T) {
	t.Parallel()
	key, err := os.ReadFile(filepath.Join(histories, "test-only.key"))
	require.NoError(t, err)
	m := newModelServer(t)
	s := own(t, m.env("STEWARD_CODEC_KEYS="+strings.TrimSpace(string(key)))...)
	u, admin := s.as(t, "recorder"), s.asAdmin(t, "admin")
	recordings := map[string]int64{
		"sessions": u.ends("success", map[string]any{"mcp_server_id": 1, "instructions": "Find all emails from last week about invoices and summarise them"}),
		"twelve_steps": u.ends("success", map[string]any{
			"mcp_server_id": 1, "instructions": simulate(12, "search_emails", map[string]any{"query": "a{{step}}"}),
		}),
		"limit": u.ends("budget_exceeded", map[string]any{
			"mcp_server_id": 1, "limits": map[string]any{"steps": 3}, "instructions": simulate(5, "search_emails", map[string]any{"query": "a{{step}}"}),
		}),
		"approved":         u.approved(),
		"denied_then_edit": u.deniedThenEdited(),
		"cancelled":        u.cancelled(),
		"unknown_probed":   u.unknownProbed(),
	}
	recordings["parked"] = u.parked(m)
	recordings["session_moved"] = u.sessionMoved()
	recordings["reviewed"] = admin.reviewed()
	recordings["consented"] = u.consented(admin)
	recordings["task"] = admin.remoteTask(s.as(t, "bob"))
	c := s.temporal(t)
	ring, err := secret.NewRing(secret.New(strings.TrimSpace(string(key))))
	require.NoError(t, err)
	ids := map[string]string{"package": admin.installed(c)}
	for name, run := range recordings {
		owner := u
		if name == "reviewed" || name == "task" {
			owner = admin
		}
		ids[name] = owner.workflow(run)
	}
	for name, id := range ids {
		h := &historypb.History{Events: events(t, c, id, "")}
		replayer, err := durable.NewReplayer(ring)
		require.NoError(t, err)
		replayer.RegisterWorkflowWithOptions(workflows.AutomationRun, workflow.RegisterOptions{Name: automation.WorkflowRun})
		replayer.RegisterWorkflowWithOptions(workflows.PackageChange, workflow.RegisterOptions{Name: automation.WorkflowPackageChange})
		require.NoError(t, replayer.ReplayWorkflowHistory(nil, h), name)
		t.Logf("%-16s %3d events", name, len(h.GetEvents()))
		if *record {
			keep(t, name, h)
		}
	}
}

// parked is a run whose model was away for a while.
func (u *user) parked(m *modelServer) int64 {
	u.t.Helper()
	m.onPost(func(_ int, w http.ResponseWriter) bool {
		refuse(w, http.StatusServiceUnavailable, "server_error", "server_is_overloaded", "Retry-After", "1")
		return true
	})
	id := u.accept(map[string]any{"servers": []string{"files"}, "instructions": listFiles})
	u.until(id, time.Minute, inState("waiting_for_model"))
	m.onPost(nil)
	require.Equal(u.t, "success", u.until(id, 2*time.Minute, ended).State)
	return id
}

// keep writes a history as Temporal's own tools export it.
func keep(t *testing.T, name string, h *historypb.History) {
	t.Helper()
	doc, err := temporalproto.CustomJSONMarshalOptions{Indent: " "}.Marshal(h)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(histories, name+".json"), append(doc, '\n'), 0o600))
}

// ends lets a run end by itself and returns its id.
func (u *user) ends(state string, body map[string]any) int64 {
	u.t.Helper()
	id := u.accept(body)
	v := u.until(id, 2*time.Minute, ended)
	require.Equal(u.t, state, v.State, "%+v", v)
	return id
}

func (u *user) approved() int64 {
	u.t.Helper()
	id := u.accept(map[string]any{"mcp_server_id": 1, "instructions": "Send the sum of last week's invoices to boss@example.com"})
	u.until(id, time.Minute, inState("waiting_for_approval"))
	u.decide(id, "approve")
	require.Equal(u.t, "success", u.until(id, time.Minute, ended).State)
	return id
}

func (u *user) deniedThenEdited() int64 {
	u.t.Helper()
	mail := map[string]any{"to": "boss@example.com", "subject": "mail {{step}}", "body": "text"}
	id := u.accept(map[string]any{"mcp_server_id": 1, "instructions": simulate(2, "send_email", mail)})
	u.until(id, time.Minute, inState("waiting_for_approval"))
	u.decide(id, "deny")
	v := u.until(id, time.Minute, func(v view) bool { return len(v.ToolCalls) == 2 && v.ToolCalls[1].Decision != nil })
	a := u.do("POST", path(id, "calls/"+v.ToolCalls[1].ID+"/decision"), map[string]any{
		"decision": "edit", "digest": v.ToolCalls[1].Decision.Digest,
		"arguments": map[string]any{"to": "me@example.com", "subject": "edited", "body": "text"},
	})
	require.Equal(u.t, 200, a.status, "%s", a.body)
	v = u.until(id, time.Minute, ended)
	require.Equal(u.t, "success", v.State)
	require.Equal(u.t, []string{"denied", "done"}, []string{v.ToolCalls[0].State, v.ToolCalls[1].State})
	return id
}

func (u *user) cancelled() int64 {
	u.t.Helper()
	id := u.accept(map[string]any{"mcp_server_id": 1, "instructions": "Send the sum of last week's invoices to nobody@example.com"})
	u.until(id, time.Minute, inState("waiting_for_approval"))
	require.Equal(u.t, 200, u.do("POST", path(id, "cancel"), nil).status)
	require.Equal(u.t, "cancelled", u.until(id, time.Minute, ended).State)
	return id
}

// unknownProbed kills the worker when the effect has happened and its answer has not come.
func (u *user) unknownProbed() int64 {
	u.t.Helper()
	dir := u.addServer(u.t, 201, "slow", nil)
	id := u.accept(map[string]any{"servers": []string{"slow"}, "approval": "never", "instructions": simulate(1, "post", textIn{"hang"})})
	require.Eventually(u.t, func() bool { return len(effects(dir, "")) == 1 }, time.Minute, 20*time.Millisecond)
	u.kill(u.t, "worker")
	v := u.until(id, 2*time.Minute, ended)
	require.Equal(u.t, "success", v.State, "%+v", v)
	require.Equal(u.t, "probe", v.ToolCalls[0].ResolvedBy)
	require.Len(u.t, effects(dir, ""), 1)
	return id
}

// signal sends a signal to a part of the stack.
func (s *stack) signal(t testing.TB, name string, sig syscall.Signal) {
	t.Helper()
	pid, err := s.pid(name)
	require.NoError(t, err)
	require.NoError(t, syscall.Kill(pid, sig), strconv.Itoa(pid))
}
