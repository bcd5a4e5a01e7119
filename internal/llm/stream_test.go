package llm

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/openai/openai-go/v3/packages/ssestream"
	"github.com/stretchr/testify/require"
)

const (
	created  = `{"type":"response.created","response":{"id":"resp_1","status":"in_progress"}}`
	textDone = `{"type":"response.output_item.done","output_index":1,"item":{"type":"message","content":[{"type":"output_text","text":"Done <b>."}]}}`
	callDone = `{"type":"response.output_item.done","output_index":0,"item":{"type":"function_call", "call_id":"c","name":"n","arguments":"{}"}}`
)

// frames is a body of server-sent events.
func frames(data ...string) string {
	var b strings.Builder
	for _, d := range data {
		fmt.Fprintf(&b, ": comment\nevent: any\ndata: %s\n\n", d)
	}
	return b.String()
}

func events(data ...string) http.HandlerFunc {
	return answer(200, frames(data...), "Content-Type", "text/event-stream")
}

func final(status string) string {
	return fmt.Sprintf(`{"type":"response.%s","response":{"id":"resp_1","status":%q,"error":{"code":"server_error"},"output":[]}}`, status, status)
}

func TestStreamTakesItemsWhereTheEndHasNone(t *testing.T) {
	t.Parallel()
	c, seen := serve(t, events(created, `{"type":"response.brand_new","x":[1]}`, `not JSON`, `"text"`, textDone, callDone, final("completed"), `[DONE]`))
	res, err := c.Stream(t.Context(), Request{Model: "m", RequestID: "run/1"}, nil)
	require.NoError(t, err)
	require.Empty(t, cmp.Diff(&Response{
		ID: "resp_1", Status: "completed", Text: "Done <b>.", Calls: []Call{{"c", "n", "{}"}}, Items: raws(
			`{"type":"function_call", "call_id":"c","name":"n","arguments":"{}"}`,
			`{"type":"message","content":[{"type":"output_text","text":"Done <b>."}]}`),
	}, res))
	got := <-seen
	require.Contains(t, string(got.Body), `"stream":true`)
	require.Equal(t, "run/1", got.Header.Get("X-Client-Request-Id"))
}

func TestStreamTellsProgress(t *testing.T) {
	t.Parallel()
	c, _ := serve(t, events(created, `{"type":"response.output_item.added","output_index":0,"item":{"type":"message"}}`,
		`{"type":"response.output_text.delta","delta":"Grüß"}`, `{"type":"response.function_call_arguments.delta","delta":"{}"}`,
		`{"type":"response.odd.delta","delta":{"x":"y"}}`, final("completed")))
	var told []Progress
	_, err := c.Stream(t.Context(), Request{Model: "m"}, func(p Progress) { told = append(told, p) })
	require.NoError(t, err)
	require.Equal(t, []Progress{
		{Event: "response.created"},
		{Event: "response.output_item.added", Item: "message"},
		{Event: "response.output_text.delta", OutputChars: 4},
		{Event: "response.function_call_arguments.delta", OutputChars: 6},
		{Event: "response.odd.delta", OutputChars: 6},
		{Event: "response.completed", OutputChars: 6},
	}, told)
}

func TestStreamErrors(t *testing.T) {
	t.Parallel()
	cut := Error{Code: CodeCut, Status: 200, Retryable: true}
	named := func(e Error) Error { e.ResponseID = "resp_1"; return e }
	for name, row := range map[string]struct {
		answer http.HandlerFunc
		want   Error
	}{
		"empty":                {events(), cut},
		"cut after its name":   {events(created, textDone), named(cut)},
		"cut inside an event":  {answer(200, frames(created)+"data: {\"type\":\"resp", "Content-Type", "text/event-stream"), named(cut)},
		"no frame at the end":  {answer(200, frames(created)+"data: "+final("completed"), "Content-Type", "text/event-stream"), named(cut)},
		"name with the key":    {events(`{"type":"response.created","response":{"id":"` + testKey + `"}}`), cut},
		"failed":               {events(created, final("failed")), Error{Code: "server_error", Status: 200, Retryable: true, ResponseID: "resp_1"}},
		"stopped":              {events(created, final("cancelled")), Error{Code: CodeCancelled, Status: 200, ResponseID: "resp_1"}},
		"no response at end":   {events(created, `{"type":"response.completed"}`), Error{Code: CodeBadResponse, Status: 200, Retryable: true}},
		"error, then failed":   {events(created, `{"type":"error","error":{"code":"x"}}`, final("failed")), Error{Code: "server_error", Status: 200, Retryable: true, ResponseID: "resp_1"}},
		"error, overloaded":    {events(created, `{"type":"error","error":{"type":"server_error","code":"server_is_overloaded"}}`), Error{Code: "server_is_overloaded", Status: 200, Retryable: true, ResponseID: "resp_1"}},
		"error in the event":   {events(created, `{"type":"error","code":"rate_limit_exceeded","message":"m"}`), Error{Code: "rate_limit_exceeded", Status: 200, Retryable: true, ResponseID: "resp_1"}},
		"error, unknown":       {events(`{"type":"error","error":{"type":"invalid_request_error","code":"unknown_parameter"}}`), Error{Code: "unknown_parameter", Status: 200}},
		"error is text":        {events(`{"type":"error","error":"` + testKey + `"}`), Error{Code: "failed", Status: 200}},
		"error code is key":    {events(`{"type":"error","error":{"code":"` + testKey + `"}}`), Error{Code: "failed", Status: 200}},
		"error is null":        {events(`{"type":"error","error":null,"code":"server_error"}`), Error{Code: "server_error", Status: 200, Retryable: true}},
		"quota":                {events(`{"type":"error","error":{"type":"insufficient_quota","code":"insufficient_quota"}}`), Error{Code: CodeQuota, Status: 200}},
		"MCP server":           {events(`{"type":"error","error":{"type":"external_connector_error","code":"http_error","message":"Error retrieving tool list from MCP server: 'mail'. Http status code: 401 (Unauthorized)"}}`), Error{Code: CodeConnector, Status: 200, Retryable: true, Server: "mail", Inner: 401}},
		"JSON instead":         {answer(200, failedBody("invalid_prompt")), Error{Code: "invalid_prompt", Status: 200}},
		"JSON that breaks off": {answer(200, completed, "Content-Length", "9999"), Error{Code: CodeBadResponse, Status: 200, Retryable: true}},
		"HTML":                 {answer(200, "<html>", "Content-Type", "text/html"), cut},
		"too long":             {endless, named(cut)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, seen := serve(t, row.answer)
			res, err := c.Stream(t.Context(), Request{Model: "m"}, nil)
			require.Nil(t, res)
			require.Empty(t, cmp.Diff(row.want, *requireError(t, err), cmpopts.IgnoreFields(Error{}, "Message")))
			require.Len(t, seen, 1)
		})
	}
}

// endless sends one event that is longer than anything may be.
func endless(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	_, _ = io.WriteString(w, frames(created)+"data: ")
	for range maxBody>>20 + 2 {
		_, _ = io.WriteString(w, strings.Repeat("x", 1<<20))
	}
}

func TestStreamOfAnEndpointThatDoesNot(t *testing.T) {
	t.Parallel()
	c, _ := serve(t, answer(200, completed, "X-Request-Id", "req_1"))
	res, err := c.Stream(t.Context(), Request{Model: "m"}, nil)
	require.NoError(t, err)
	require.Equal(t, "req_1", res.RequestID)
}

func TestStreamStopsWithItsContext(t *testing.T) {
	t.Parallel()
	c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, frames(created))
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	ctx, cancel := context.WithCancel(t.Context())
	_, err := c.Stream(ctx, Request{Model: "m"}, func(Progress) { cancel() })
	require.ErrorIs(t, err, context.Canceled)
}

// FuzzStream holds the reader of events to: no panic, a result only after a final event, never a secret.
func FuzzStream(f *testing.F) {
	for _, exchanges := range recordings(f) {
		for _, e := range exchanges {
			if e.Response.SSE != "" {
				f.Add([]byte(e.Response.SSE))
			}
		}
	}
	f.Add([]byte(frames(created, textDone, callDone, final("incomplete"))))
	f.Add([]byte("data: {\"type\":\"error\"}\r\n\r\ndata:{}\n\n: x\n\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		res := &http.Response{Header: http.Header{}, Body: readCloser{strings.NewReader(string(body))}}
		last := ""
		s := stream{guard: new(Client).guard(nil), told: func(p Progress) { last = p.Event }}
		w, err := s.read(ssestream.NewDecoder(res))
		if err != nil {
			require.NotNil(t, asError(err), "%T", err)
			return
		}
		require.Contains(t, []string{"response.completed", "response.incomplete", "response.failed", "response.cancelled"}, last)
		if out, err := w.response(s.guard); err != nil {
			require.NotNil(t, asError(err), "%T", err)
		} else {
			require.NotEmpty(t, out.ID)
		}
	})
}
