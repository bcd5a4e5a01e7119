package api_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/auth"
)

// withTasks declares the Tasks extension for a message.
func withTasks(c call) call {
	c.body = strings.Replace(c.body, `clientCapabilities":{}`, `clientCapabilities":{"extensions":{"io.modelcontextprotocol/tasks":{}}}`, 1)
	return c
}

func taskCall(method, id, more string) call {
	c := withTasks(rpc(method, `{"taskId":"`+id+`"`+more+`}`, "2026-07-28"))
	c.header["Mcp-Name"] = id
	return c
}

// shownTask is what the answers about tasks say.
type shownTask struct {
	ResultType    string
	TaskID        string
	Status        string
	StatusMessage string
	TTLMs         *int64
	Poll          int64 `json:"pollIntervalMs"`
	Result        *struct {
		Content           []struct{ Text string }
		StructuredContent json.RawMessage
	}
	Error *struct {
		Code    int64
		Message string
	}
	InputRequests map[string]struct {
		Method string
		Params struct {
			Message         string
			RequestedSchema struct {
				Properties map[string]struct{ Enum []string }
			}
		}
	}
}

// reply reads the answer to a message, as JSON or as an event.
func reply[T any](t testing.TB, w *httptest.ResponseRecorder, status int) (result T, failure int64) {
	t.Helper()
	require.Equal(t, status, w.Code, w.Body.String())
	body := w.Body.String()
	if strings.HasPrefix(w.Header().Get("Content-Type"), "text/event-stream") {
		_, body, _ = strings.Cut(body, "data: ")
		body, _, _ = strings.Cut(body, "\n")
	}
	var answer struct {
		Result T
		Error  *struct{ Code int64 }
	}
	require.NoError(t, json.Unmarshal([]byte(body), &answer), body)
	if answer.Error != nil {
		failure = answer.Error.Code
	}
	return answer.Result, failure
}

// begin starts a run as a task of alice's.
func (r *rig) begin(token string) (id string, run int64) {
	r.t.Helper()
	c := withTasks(toolCall("run_automation", `{"instructions":"say hello"}`))
	c.token = token
	task, _ := reply[shownTask](r.t, r.mcp(c), http.StatusOK)
	require.Equal(r.t, "task", task.ResultType)
	require.Equal(r.t, "working", task.Status)
	require.Nil(r.t, task.TTLMs)
	require.Positive(r.t, task.Poll)
	require.NoError(r.t, r.db.Pool.QueryRow(r.t.Context(), "SELECT id FROM automation_runs WHERE workflow_id = $1", task.TaskID).Scan(&run))
	return task.TaskID, run
}

func (r *rig) task(token, id string) shownTask {
	r.t.Helper()
	c := taskCall("tasks/get", id, "")
	c.token = token
	task, _ := reply[shownTask](r.t, r.mcp(c), http.StatusOK)
	require.Equal(r.t, "complete", task.ResultType)
	require.Equal(r.t, id, task.TaskID)
	return task
}

func TestMCPRunIsATask(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	alice := r.token("alice", auth.User)
	id, run := r.begin(alice)
	require.Equal(t, "queued", r.task(alice, id).StatusMessage)
	r.finish(run)
	done := r.task(alice, id)
	require.Equal(t, "completed", done.Status)
	require.Equal(t, "hello", done.Result.Content[0].Text)
	require.Contains(t, string(done.Result.StructuredContent), `"state":"success"`)

	plain := toolCall("run_automation", `{"instructions":"say hello"}`)
	plain.token = alice
	handle, _ := reply[struct {
		StructuredContent struct {
			RunID  int64 `json:"run_id"`
			Status string
		}
	}](t, r.mcp(plain), http.StatusOK)
	require.Equal(t, "pending", handle.StructuredContent.Status)
	require.Greater(t, handle.StructuredContent.RunID, run)
}

func TestMCPTaskEnds(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	alice := r.token("alice", auth.User)
	for state, want := range map[string]string{"error": "failed", "budget_exceeded": "failed", "cancelled": "cancelled"} {
		id, run := r.begin(alice)
		_, err := r.db.Pool.Exec(t.Context(), "UPDATE automation_runs SET state = $2, finished_at = now(), error_code = 'why', error_message = 'because' WHERE id = $1", run, state)
		require.NoError(t, err)
		task := r.task(alice, id)
		require.Equal(t, want, task.Status)
		if want == "failed" {
			require.EqualValues(t, -32000, task.Error.Code)
			require.Equal(t, "because", task.Error.Message)
		}
	}
}

func TestMCPTaskAsksItsOwner(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	alice := r.token("alice", auth.User)
	id, run := r.begin(alice)
	r.question("alice", run, "call_1")
	r.question("alice", run, "call_2")
	asked := r.task(alice, id)
	require.Equal(t, "input_required", asked.Status)
	require.Len(t, asked.InputRequests, 2)
	form := asked.InputRequests["dec_call_1"]
	require.Equal(t, "elicitation/create", form.Method)
	require.Contains(t, form.Params.Message, "the tool changes something")
	require.Contains(t, form.Params.Message, "the whole text")
	require.Equal(t, []string{"approve", "deny"}, form.Params.RequestedSchema.Properties["decision"].Enum)

	update := func(answers, token string) (int, int64) {
		c := taskCall("tasks/update", id, `,"inputResponses":`+answers)
		c.token = token
		w := r.mcp(c)
		if w.Code == http.StatusForbidden {
			return w.Code, 0
		}
		_, failure := reply[shownTask](t, w, w.Code)
		return w.Code, failure
	}
	status, _ := update(`{}`, r.token("alice", auth.User, auth.RunsRead, auth.RunsExecute))
	require.Equal(t, http.StatusForbidden, status, "an answer is a decision")
	_, failure := update(`{"dec_call_1":{"action":"accept","content":{"decision":"edit"}}}`, alice)
	require.EqualValues(t, -32602, failure)
	for _, again := range []string{"first", "again"} {
		_, failure = update(`{"dec_call_1":{"action":"accept","content":{"decision":"approve","reason":"fine"}},"dec_call_2":{"action":"cancel"},"other":{"action":"accept"}}`, alice)
		require.Zero(t, failure, again)
	}
	require.Equal(t, 1, r.rows()["decided"])
	left := r.task(alice, id)
	require.Equal(t, "input_required", left.Status)
	require.Contains(t, left.InputRequests, "dec_call_2")
	_, failure = update(`{"dec_call_2":{"action":"decline"}}`, alice)
	require.Zero(t, failure)
	require.Equal(t, "working", r.task(alice, id).Status)
	var verdicts []string
	rows, err := r.db.Pool.Query(t.Context(), "SELECT verdict FROM decisions ORDER BY call")
	require.NoError(t, err)
	for rows.Next() {
		var v string
		require.NoError(t, rows.Scan(&v))
		verdicts = append(verdicts, v)
	}
	require.Equal(t, []string{"approve", "deny"}, verdicts)
}

func TestMCPTaskIsItsOwnersAlone(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	alice, bob := r.token("alice", auth.User), r.token("bob", auth.User)
	id, run := r.begin(alice)
	r.question("alice", run, "call_1")
	before := r.rows()
	for _, method := range []string{"tasks/get", "tasks/update", "tasks/cancel"} {
		var answers []string
		for _, name := range []string{id, "run/unknown", ""} {
			c := taskCall(method, name, `,"inputResponses":{"dec_call_1":{"action":"accept","content":{"decision":"approve"}}}`)
			c.token = bob
			w := r.mcp(c)
			_, failure := reply[shownTask](t, w, http.StatusBadRequest)
			require.EqualValues(t, -32602, failure)
			answers = append(answers, w.Body.String())
		}
		require.Equal(t, answers[0], answers[1])
		c := taskCall(method, id, "")
		c.header["Mcp-Name"], c.token = "run/other", alice
		_, failure := reply[shownTask](t, r.mcp(c), http.StatusBadRequest)
		require.EqualValues(t, -32020, failure)
		undeclared := rpc(method, `{"taskId":"`+id+`"}`, "2026-07-28")
		undeclared.header["Mcp-Name"], undeclared.token = id, alice
		_, failure = reply[shownTask](t, r.mcp(undeclared), http.StatusBadRequest)
		require.EqualValues(t, -32021, failure)
	}
	require.Equal(t, before, r.rows())
	for range 2 {
		c := taskCall("tasks/cancel", id, "")
		c.token = alice
		_, failure := reply[shownTask](t, r.mcp(c), http.StatusOK)
		require.Zero(t, failure)
	}
	r.finish(run)
	c := taskCall("tasks/cancel", id, "")
	c.token = alice
	_, failure := reply[shownTask](t, r.mcp(c), http.StatusOK)
	require.Zero(t, failure, "nothing left to cancel")
}
