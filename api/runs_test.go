package api_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/api"
	"steward/internal/auth"
)

func TestSeedCurlStartsARun(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	_, err := r.db.Pool.Exec(t.Context(), `INSERT INTO mcp_servers (id, name, transport) VALUES (1, 'mailbox', 'stdio')`)
	require.NoError(t, err)
	alice := r.token("alice", auth.User)

	w := r.do(call{method: http.MethodPost, path: "/automation/run", token: alice, body: `{
    "mcp_server_id": 1,
    "tool_name": "search_emails",
    "instructions": "Find all emails from last week about invoices and summarise them"
  }`})
	require.Equal(t, http.StatusAccepted, w.Code, w.Body.String())
	require.JSONEq(t, `{"run_id":1,"status":"pending"}`, w.Body.String())
	require.Equal(t, "/automation/run/1", w.Header().Get("Location"))

	got := decoded[api.Run](t, r.do(call{path: w.Header().Get("Location"), token: alice}), http.StatusOK)
	require.Equal(t, "queued", got.State)
	require.Equal(t, "pending", got.Status)
	require.Equal(t, "Find all emails from last week about invoices and summarise them", got.Input.Instructions)
	require.Equal(t, []int64{1}, got.Input.Servers)
	require.Equal(t, 40, got.Input.Limits.Steps, "the default")
	require.Empty(t, got.ToolCalls)
	require.Equal(t, "/automation/run/1/events", got.Links.Events)
	require.Contains(t, got.Links.TemporalUI, uiOrigin+"/namespaces/default/workflows/run%2F")
}

func TestRunShowsWhatAPersonMustDecide(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.run("alice")
	r.question("alice", id, "call_a")
	path := fmt.Sprintf("/automation/run/%d", id)
	alice := r.token("alice", auth.User)

	got := decoded[api.Run](t, r.do(call{path: path, token: alice}), http.StatusOK)
	require.Len(t, got.ToolCalls, 1)
	c := got.ToolCalls[0]
	require.Equal(t, map[string]any{"to": "bob@example.com"}, c.Arguments, "the preview")
	require.Empty(t, c.Outcome)
	require.NotNil(t, c.Question)
	require.Equal(t, "digest", c.Question.Digest)
	require.Equal(t, map[string]any{"to": "bob@example.com", "text": "the whole text"}, c.Question.Arguments, "in full")
	require.Equal(t, []string{"approve", "deny", "edit"}, c.Question.Verdicts)

	decision := path + "/calls/call_a/decision"
	stale := problem(t, r.do(call{method: http.MethodPost, path: decision, token: alice, body: `{"decision":"approve","digest":"old"}`}), http.StatusConflict)
	require.Equal(t, "stale_digest", stale.Code)

	w := r.do(call{method: http.MethodPost, path: decision, token: alice, body: `{"decision":"approve","digest":"digest"}`})
	require.Equal(t, http.StatusOK, w.Code, w.Body.String())
	require.JSONEq(t, fmt.Sprintf(`{"decision_id":"dec_call_a","run_id":%d,"call_id":"call_a","decision":"approve","delivered":false}`, id), w.Body.String())

	used := problem(t, r.do(call{method: http.MethodPost, path: decision, token: alice, body: `{"decision":"approve","digest":"digest"}`}), http.StatusConflict)
	require.Equal(t, "already_decided", used.Code)
}

func TestCancelSaysWhatHappenedToEffects(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.run("alice")
	for call, state := range map[string]string{"call_1": "done", "call_2": "claimed", "call_3": "waiting", "call_4": "unknown", "call_5": "failed"} {
		r.question("alice", id, call)
		_, err := r.db.Pool.Exec(t.Context(), "UPDATE tool_calls SET state = $1 WHERE id = $2", state, call)
		require.NoError(t, err)
	}
	w := r.do(call{method: http.MethodPost, path: fmt.Sprintf("/automation/run/%d/cancel", id), token: r.token("alice", auth.User)})
	got := decoded[api.Run](t, w, http.StatusOK)
	require.NotNil(t, got.Cancellation)
	require.Equal(t, "alice", got.Cancellation.RequestedBy)
	outcomes := map[string]string{}
	for _, e := range got.Cancellation.Effects {
		outcomes[e.ID] = e.Outcome
	}
	require.Equal(t, map[string]string{
		"call_1": "done", "call_2": "unknown", "call_3": "not_done", "call_4": "unknown", "call_5": "not_done",
	}, outcomes)

	r.finish(id)
	ended := problem(t, r.do(call{method: http.MethodPost, path: fmt.Sprintf("/automation/run/%d/cancel", id), token: r.token("alice", auth.User)}), http.StatusConflict)
	require.Equal(t, "run_ended", ended.Code)
}

func TestListPagesAndFilters(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var ids []int64
	for range 5 {
		ids = append([]int64{r.run("alice")}, ids...)
	}
	r.run("bob")
	r.finish(ids[1])
	alice := r.token("alice", auth.User)
	type page struct {
		Runs []struct {
			RunID int64 `json:"run_id"`
		} `json:"runs"`
		Next *string `json:"next_cursor"`
	}
	list := func(query string) ([]int64, *string) {
		p := decoded[page](t, r.do(call{path: "/automation/runs" + query, token: alice}), http.StatusOK)
		got := []int64{}
		for _, x := range p.Runs {
			got = append(got, x.RunID)
		}
		return got, p.Next
	}

	var walked []int64
	got, next := list("?limit=2")
	for walked = append(walked, got...); next != nil; walked = append(walked, got...) {
		got, next = list("?limit=2&cursor=" + *next)
	}
	require.Equal(t, ids, walked, "newest first, each once")

	got, next = list("?limit=5")
	require.Len(t, got, 5)
	require.Nil(t, next, "the last page has no successor")
	got, _ = list("?status=success")
	require.Equal(t, []int64{ids[1]}, got)
	got, _ = list("?state=queued")
	require.Len(t, got, 4)
	got, _ = list("?state=queued&status=success")
	require.Empty(t, got, "no state passes both")
	got, _ = list("?server=7")
	require.Empty(t, got)
	got, _ = list("?until=2020-01-01T00:00:00Z")
	require.Empty(t, got)
	got, _ = list("?since=2020-01-01T00:00:00Z")
	require.Len(t, got, 5)
}

func TestIdempotencyKeyReturnsTheSameRun(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	start := func(owner, body string) call {
		return call{method: http.MethodPost, path: "/automation/run", body: body, token: r.token(owner, auth.User), header: map[string]string{"Idempotency-Key": `"k-1"`}}
	}
	first := r.do(start("alice", `{"instructions":"x","tool_name":"t"}`))
	require.Equal(t, http.StatusAccepted, first.Code)
	require.Empty(t, first.Header().Get("Idempotency-Replayed"))

	again := r.do(start("alice", `{ "tool_name": "t", "instructions": "x" }`))
	require.Equal(t, http.StatusAccepted, again.Code)
	require.Equal(t, "true", again.Header().Get("Idempotency-Replayed"))
	require.JSONEq(t, first.Body.String(), again.Body.String())

	other := problem(t, r.do(start("alice", `{"instructions":"y"}`)), http.StatusUnprocessableEntity)
	require.Equal(t, "idempotency_mismatch", other.Code)

	bob := r.do(start("bob", `{"instructions":"x","tool_name":"t"}`))
	require.Equal(t, http.StatusAccepted, bob.Code)
	require.NotEqual(t, first.Body.String(), bob.Body.String(), "keys belong to their owner")
	require.Equal(t, 2, r.rows()["automation_runs"])
}

func TestHistoryIsReadFromTheAuditLog(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.run("alice")
	r.event(id, "c1", "tool.claimed", map[string]any{"step": 1, "attempt": 1, "call": "call_a", "tool": "mailbox/search"})
	r.event(id, "c2", "tool.settled", map[string]any{"step": 1, "attempt": 1, "call": "call_a", "tool": "mailbox/search", "state": "done"})
	for i := range 250 { // more than a page
		r.event(id, fmt.Sprint(i), "later.kind", nil)
	}
	got := decoded[struct {
		Steps    []api.HistoryStep `json:"steps"`
		Temporal map[string]string `json:"temporal"`
	}](t, r.do(call{path: fmt.Sprintf("/automation/run/%d/history", id), token: r.token("alice", auth.User)}), http.StatusOK)
	require.Len(t, got.Steps, 252)
	require.Equal(t, "Run accepted", got.Steps[0].Title)
	require.Equal(t, "Calls mailbox/search", got.Steps[1].Title)
	require.Equal(t, "CallTool", got.Steps[1].Activity)
	require.Equal(t, "done", got.Steps[1].Outcome)
	require.NotNil(t, got.Steps[1].DurationMS)
	require.Contains(t, got.Temporal["workflow_id"], "run/")
}
