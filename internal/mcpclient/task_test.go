package mcpclient

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"
)

// newTasker is a server that goes on with calls of the tool "job" by itself; the task's id says how it fares.
// It insists on the extension being declared and on the header Mcp-Name.
func newTasker(t *testing.T) Target {
	t.Helper()
	server := mcp.NewServer(&mcp.Implementation{Name: "tasker", Version: "1"}, nil)
	server.AddTool(&mcp.Tool{Name: "job", InputSchema: json.RawMessage(`{"type":"object"}`)},
		func(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			return text("done at once"), nil
		})
	declared := func(c *mcp.ClientCapabilities) bool { return c != nil && c.Extensions[tasksExtension] != nil }
	server.AddReceivingMiddleware(func(next mcp.MethodHandler) mcp.MethodHandler {
		return func(ctx context.Context, method string, req mcp.Request) (mcp.Result, error) {
			if call, ok := req.(*mcp.CallToolRequest); ok && declared(call.ClientCapabilities()) {
				return written(`{"resultType":"task","taskId":"working","status":"working","createdAt":"2026-11-21T00:00:00Z","ttlMs":60000,"pollIntervalMs":250}`), nil
			}
			return next(ctx, method, req)
		}
	})
	for method, answer := range map[string]func(*taskParams) (*ownWords, error){
		methodTaskGet: func(p *taskParams) (*ownWords, error) {
			rest := map[string]string{
				"working": `"statusMessage":"half way"`, "cancelled": `"x":0`,
				"input_required": `"inputRequests":{"sure":{"method":"elicitation/create","params":{"message":"Sure?"}}}`,
				"completed":      `"result":{"content":[{"type":"text","text":"done"}],"structuredContent":{"n":12345678901234567890}}`,
				"failed":         `"error":{"code":-32603,"message":"boom"}`,
				"odd":            `"x":0`,
			}[p.TaskID]
			if p.TaskID == "locked" {
				return nil, &jsonrpc.Error{Code: jsonrpc.CodeInternalError, Message: "database is locked"}
			}
			if rest == "" {
				return nil, &jsonrpc.Error{Code: jsonrpc.CodeInvalidParams, Message: "unknown task"}
			}
			return written(fmt.Sprintf(`{"resultType":"complete","taskId":%q,"status":%q,%s}`, p.TaskID, p.TaskID, rest)), nil
		},
		methodTaskUpdate: func(p *taskParams) (*ownWords, error) {
			if a, ok := p.InputResponses["sure"].(*mcp.ElicitResult); !ok || a.Action != ActionAccept {
				return nil, &jsonrpc.Error{Code: jsonrpc.CodeInternalError, Message: "not answered"}
			}
			return written(`{"resultType":"complete"}`), nil
		},
		methodTaskCancel: func(*taskParams) (*ownWords, error) { return written(`{"resultType":"complete"}`), nil },
	} {
		require.NoError(t, mcp.AddReceivingCustomMethod(server, method, func(_ context.Context, _ *mcp.ServerSession, p *taskParams) (*ownWords, error) {
			return answer(p)
		}))
	}
	handler := mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return server }, &mcp.StreamableHTTPOptions{Stateless: true})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		var msg struct {
			Method string
			Params struct{ TaskID string }
		}
		_ = json.Unmarshal(body, &msg)
		if msg.Params.TaskID != "" && (r.Header.Get("Mcp-Name") != msg.Params.TaskID || r.Header.Get("Mcp-Method") != msg.Method) {
			w.WriteHeader(http.StatusTeapot)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return Target{Key: Key{Owner: "ann", Server: 3, Version: 1}, Name: "tasker", HTTP: &HTTP{URL: s.URL, Client: s.Client()}}
}

// ownWords is a result in our own words.
type ownWords struct {
	mcp.ResultBase
	raw json.RawMessage
}

func written(raw string) *ownWords { return &ownWords{raw: json.RawMessage(raw)} }

func (w *ownWords) MarshalJSON() ([]byte, error) { return w.raw, nil }

func TestTasks(t *testing.T) {
	t.Parallel()
	target, pool := newTasker(t), newPool(t, Options{})
	res, err := pool.Call(t.Context(), target, Call{Tool: "job"})
	require.NoError(t, err)
	require.Equal(t, "done at once", res.Text(), "not declared")

	res, err = pool.Call(t.Context(), target, Call{Tool: "job", Tasks: true})
	require.NoError(t, err)
	require.Equal(t, &Task{ID: "working", Status: TaskWorking, Poll: 250 * time.Millisecond, Keeps: time.Minute}, res.Task)

	res, err = pool.Task(t.Context(), target, "working")
	require.NoError(t, err)
	require.Equal(t, &Task{ID: "working", Status: TaskWorking, Said: "half way"}, res.Task)

	res, err = pool.Task(t.Context(), target, "input_required")
	require.NoError(t, err)
	require.Equal(t, TaskNeeds, res.Task.Status)
	require.Equal(t, map[string]Question{"sure": {Mode: "form", Message: "Sure?"}}, res.Needs.Questions)
	require.NoError(t, pool.AnswerTask(t.Context(), target, "input_required", Given{Answers: map[string]Answer{"sure": {Action: ActionAccept}}}))
	require.Error(t, pool.AnswerTask(t.Context(), target, "input_required", Given{Answers: map[string]Answer{"sure": {Action: ActionDecline}}}))

	res, err = pool.Task(t.Context(), target, "completed")
	require.NoError(t, err)
	require.Nil(t, res.Task)
	require.Equal(t, "done", res.Text())
	require.Equal(t, `{"n":12345678901234567890}`, string(res.Structured))

	require.NoError(t, pool.CancelTask(t.Context(), target, "working"))
	res, err = pool.Task(t.Context(), target, "cancelled")
	require.NoError(t, err)
	require.Equal(t, TaskCancelled, res.Task.Status)

	_, err = pool.Task(t.Context(), target, "failed")
	var e *Error
	require.ErrorAs(t, err, &e)
	require.EqualValues(t, -32603, e.Code)
	require.Equal(t, MaybeRun, e.Ran)
	require.Equal(t, StageResult, e.Stage)
	require.ErrorIs(t, err, ErrTaskFailed)
	_, err = pool.Task(t.Context(), target, "locked")
	require.ErrorAs(t, err, &e)
	require.EqualValues(t, -32603, e.Code)
	require.NotErrorIs(t, err, ErrTaskFailed, "the question failed, not the task")
	require.NotErrorIs(t, err, ErrTaskGone)
	_, err = pool.Task(t.Context(), target, "odd")
	require.ErrorAs(t, err, &e)
	require.Equal(t, StageResult, e.Stage)
	_, err = pool.Task(t.Context(), target, "forgotten")
	require.ErrorIs(t, err, ErrTaskGone)
	require.Equal(t, 1, sessions(pool))
}

// Servers before 2026-07-28 know no tasks, and are not told of them.
func TestNoTasksBefore(t *testing.T) {
	t.Parallel()
	r, pool := newRemote(t, EraLegacy), newPool(t, Options{})
	_, err := pool.Call(t.Context(), r.target(EraLegacy), Call{Tool: "echo", Tasks: true})
	require.NoError(t, err)
	_, err = pool.Task(t.Context(), r.target(EraLegacy), "1")
	require.Error(t, err)
}

func FuzzTask(f *testing.F) {
	f.Add([]byte(`{"taskId":"1","status":"completed","result":{"content":[]}}`))
	f.Add([]byte(`{"taskId":"1","status":"failed","error":{"code":1}}`))
	f.Add([]byte(`{"taskId":"1","status":"input_required","pollIntervalMs":1e300,"ttlMs":-1,"inputRequests":{}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		res, fault, err := parseTaskState(raw)
		if err != nil {
			return
		}
		require.Equal(t, fault == nil, res != nil)
		if res != nil && res.Task != nil {
			require.NotEmpty(t, res.Task.ID)
			require.GreaterOrEqual(t, res.Task.Poll, time.Duration(0))
		}
	})
}
