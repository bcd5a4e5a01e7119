package client

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/api"
	"steward/internal/fault"
	"steward/internal/secret"
)

func TestRequests(t *testing.T) {
	t.Parallel()
	answers := map[string]string{
		`POST /automation/run {"servers":["mailbox"],"instructions":"do it"}`:                                                                                `{"run_id":7,"status":"pending"}`,
		`POST /automation/run {"connections":["gmail"],"instructions":"do it","mode":"worker","limits":{"cost_usd":0.50},"output_schema":{"type":"object"}}`: `{"run_id":8}`,
		`GET /automation/run/7 `:              `{"run_id":7,"state":"success","output":{"text":"done"},"tool_calls":[]}`,
		`GET /automation/runs?state=success `: `{"runs":[{"run_id":7}],"next_cursor":null}`,
		`POST /automation/run/7/calls/call_1/decision {"decision":"approve","digest":"abc"}`: `{"delivered":true}`,
	}
	c := server(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		answer, known := answers[r.Method+" "+r.URL.RequestURI()+" "+string(body)]
		if err != nil || !known || r.Header.Get("Authorization") != "Bearer token" {
			w.WriteHeader(http.StatusTeapot)
		}
		_, _ = io.WriteString(w, answer)
	})
	id, err := c.Start(t.Context(), Request{Instructions: "do it", Servers: []string{"mailbox"}})
	require.NoError(t, err)
	require.Equal(t, int64(7), id)
	id, err = c.Start(t.Context(), Request{
		Instructions: "do it", Connections: []string{"gmail"}, Mode: "worker", Limits: Limits{CostUSD: "0.50"},
		OutputSchema: json.RawMessage(`{"type":"object"}`),
	})
	require.NoError(t, err)
	require.Equal(t, int64(8), id)
	run, err := c.Run(t.Context(), 7)
	require.NoError(t, err)
	require.Equal(t, "done", run.Output.Text)
	page, err := c.Runs(t.Context(), map[string][]string{"state": {"success"}})
	require.NoError(t, err)
	require.Len(t, page.Runs, 1)
	delivered, err := c.Decide(t.Context(), 7, "call_1", Decision{Decision: "approve", Digest: "abc"})
	require.NoError(t, err)
	require.True(t, delivered)
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for status, kind := range map[int]fault.Kind{
		401: fault.Unauthorized, 403: fault.Forbidden, 404: fault.NotFound, 409: fault.Conflict, 422: fault.Invalid,
		429: fault.Exhausted, 500: fault.Unavailable, 503: fault.Unavailable,
	} {
		c := server(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = fmt.Fprint(w, `{"detail":"two fields","code":"some_code","errors":[{"location":"a","message":"x"},{"location":"b","message":"y"}]}`)
		})
		_, err := c.Run(t.Context(), 1)
		require.Equal(t, kind, fault.KindOf(err), status)
		require.Equal(t, "some_code", fault.CodeOf(err))
		require.Equal(t, "two fields\n  a: x\n  b: y", fault.Text(err))
	}
	foreign := server(t, func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "<html>gateway", http.StatusBadGateway) })
	_, err := foreign.Run(t.Context(), 1)
	require.True(t, fault.Is(err, fault.Unavailable), "%v", err)
	require.NotContains(t, err.Error(), "html")
	_, err = New("http://127.0.0.1:1", secret.New("token")).Run(t.Context(), 1)
	require.True(t, fault.Is(err, fault.Unavailable), "%v", err)
	require.NotContains(t, err.Error(), "token")
}

func TestTimeline(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 20, 9, 30, 1, 204e6, time.Local)
	var out bytes.Buffer
	timeline := NewTimeline(&out)
	for _, e := range []struct{ kind, body string }{
		{"run.accepted", `{}`},
		{"run.state", `{"state":"running"}`},
		{"tools.resolved", `{"tools":["mailbox/a","mailbox/b","files/c"],"absent":[{"server":"web","reason":"no answer in time"}]}`},
		{"model.called", `{"step":1,"model":"offline-rules-1","attempt":2}`},
		{"model.accepted", `{"step":1}`},
		{"model.found", `{"step":1}`},
		{"model.answered", `{"step":1,"calls":2,"usage":{"total_tokens":562}}`},
		{"model.answered", `{"step":1,"usage":{"total_tokens":562,"cost_micro_usd":4200,"cost_known":true}}`},
		{"model.compacted", `{"step":1}`},
		{"model.refused", `{"step":1,"reason":"the day's budget is spent"}`},
		{"run.parked", `{"state":"waiting_for_budget","reason":"until tomorrow"}`},
		{"hosted.offered", `{"step":1}`},
		{"hosted.listed", `{"step":1,"server":"docs","tools":["a","b"]}`},
		{"tool.reported", `{"step":1,"tool":"docs/a","state":"done"}`},
		{"tool.planned", `{"step":1,"tool":"mailbox/send","class":"effect"}`},
		{"decision.asked", `{"step":1,"tool":"mailbox/send","call":"call_1","reason":"it sends"}`},
		{"run.state", `{"state":"waiting_for_approval"}`},
		{"decision.made", `{"verdict":"approve"}`},
		{"tool.claimed", `{"step":1,"tool":"mailbox/send"}`},
		{"tool.settled", `{"step":1,"tool":"mailbox/send","state":"done","bytes":12,"resolved_by":"probe"}`},
		{"tool.settled", `{"step":1,"tool":"evil\u001b[2J/x","state":"failed","is_error":true,"reason":"no"}`},
		{"run.finished", `{"state":"error","code":"tool_failed"}`},
		{"something.new", `{}`},
	} {
		require.NoError(t, timeline.Add(api.RunEvent{At: at, Kind: e.kind, Actor: "alice", Body: json.RawMessage(e.body)}))
	}
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	for i, line := range lines {
		require.True(t, strings.HasPrefix(line, "09:30:01.204  "), line)
		lines[i] = strings.TrimPrefix(line, "09:30:01.204  ")
	}
	require.Equal(t, []string{
		"         run accepted",
		"         tools: mailbox 2, files 1, web absent: no answer in time",
		"step 1   asks offline-rules-1 (attempt 2)",
		"step 1   the model works on it in the background",
		"step 1   takes up the request that was made before",
		"step 1   answers with 2 calls, 562 tokens",
		"step 1   answers with a final answer, 562 tokens, 0.0042 USD",
		"step 1   shortens what the model is shown",
		"step 1   does not ask the model: the day's budget is spent",
		"         run sleeps: until tomorrow",
		"step 1   lets the model's provider call tools",
		"step 1   the provider says that docs offers 2 tools",
		"step 1   the provider says: docs/a done",
		"step 1   plans mailbox/send (effect)",
		"step 1   asks a person about mailbox/send, call call_1: it sends",
		"         run is waiting for approval",
		"         alice decides: approve",
		"step 1   calls mailbox/send",
		"step 1   mailbox/send done, 12 bytes, found out by probe",
		"step 1   evil/x failed with an error: no",
		"         run ends: error: tool_failed",
		"         something.new",
	}, lines)
}

func TestFollowEndsWhereItIsAsked(t *testing.T) {
	t.Parallel()
	c := server(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/automation/run/1":
			_, _ = fmt.Fprint(w, `{"run_id":1,"state":"waiting_for_approval","error":{"code":"c","message":"m"}}`)
		case r.Header.Get("Last-Event-ID") == "0":
			_, _ = fmt.Fprint(w, `data: {"seq":1,"kind":"run.state","body":{"state":"waiting_for_approval"}}`+"\n\n")
			_, _ = fmt.Fprint(w, `data: {"seq":2,"kind":"run.finished","body":{"state":"error"}}`+"\n\n")
		default:
			w.WriteHeader(http.StatusNoContent)
		}
	})
	var short, whole bytes.Buffer
	run, err := c.Follow(t.Context(), 1, &short, false)
	require.NoError(t, err)
	require.Equal(t, "waiting_for_approval", run.State)
	require.NotContains(t, short.String(), "run ends")
	_, err = c.Follow(t.Context(), 1, &whole, true)
	require.NoError(t, err)
	require.Contains(t, whole.String(), "run ends: error")
	require.True(t, strings.HasSuffix(whole.String(), "\nc: m\n"), whole.String())
}
