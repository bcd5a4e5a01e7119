package llm

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/openai/openai-go/v3/packages/ssestream"
	"github.com/stretchr/testify/require"

	"steward/internal/automation"
)

// play sends the recorded request the way we would, and says what came of it.
func (e exchange) play(t *testing.T, c *Client) string {
	req := e.request(t)
	var res *Response
	var err error
	switch {
	case e.is(http.MethodPost, "/input_tokens"):
		var n int64
		n, err = c.CountTokens(t.Context(), req)
		if err == nil {
			return fmt.Sprintf("%d tokens", n)
		}
	case e.is(http.MethodPost, "/compact"):
		var items []json.RawMessage
		var u automation.Usage
		items, u, err = c.Compact(t.Context(), req)
		if err == nil {
			return fmt.Sprintf("%d items for %d tokens", len(items), u.TotalTokens)
		}
	case e.is(http.MethodGet, "") && e.Response.SSE != "":
		res, err = e.unframe() // resuming a stream is nothing we do, but it must be understood
	case e.is(http.MethodGet, ""):
		var done bool
		id, _, _ := strings.Cut(e.Request.Path[strings.LastIndexByte(e.Request.Path, '/')+1:], "?")
		res, done, err = c.Retrieve(t.Context(), id)
		if err == nil && !done {
			return "not yet"
		}
	case e.Response.SSE != "":
		res, err = c.Stream(t.Context(), req, nil)
	case e.background(t):
		var id, status string
		id, status, err = c.Start(t.Context(), req)
		require.NotEmpty(t, id)
		if err == nil {
			return status
		}
	default:
		res, err = c.Respond(t.Context(), req)
	}
	if err != nil {
		return summaryOf(requireError(t, err))
	}
	require.Empty(t, cmp.Diff(e.expected(t), res, cmpopts.IgnoreFields(Response{}, "RequestID", "Hosted")))
	return res.summary()
}

func (e exchange) is(method, suffix string) bool {
	return e.Request != nil && e.Request.Method == method && (suffix == "" || strings.HasSuffix(e.Request.Path, suffix))
}

func (e exchange) background(t *testing.T) bool {
	var body struct{ Background bool }
	if e.Request != nil {
		require.NoError(t, json.Unmarshal(e.Request.Body, &body))
	}
	return body.Background
}

func (e exchange) unframe() (*Response, error) {
	res := &http.Response{Header: http.Header{}, Body: http.NoBody}
	res.Body = readCloser{strings.NewReader(e.Response.SSE)}
	s := stream{told: func(Progress) {}, guard: new(Client).guard(nil)}
	w, err := s.read(ssestream.NewDecoder(res))
	if err != nil {
		return nil, err
	}
	return w.response(s.guard)
}

type readCloser struct{ *strings.Reader }

func (readCloser) Close() error { return nil }

func summaryOf(e *Error) string {
	s := fmt.Sprintf("%d %s", e.Status, e.Code)
	if e.Retryable {
		s += ", again"
	}
	if e.RetryAfter > 0 {
		s += " after " + e.RetryAfter.String()
	}
	if e.Server != "" {
		s += fmt.Sprintf(", %s %d", e.Server, e.Inner)
	}
	return s
}

// summary is what matters of a response: the tools, what was done, whether there are words.
func (r *Response) summary() string {
	var parts []string
	for _, h := range r.Hosted {
		part := h.Kind + " " + h.Server
		if h.Name != "" {
			part += "." + h.Name
		}
		if h.Failure != "" {
			part += fmt.Sprintf(" (%s %d)", h.Failure, h.FailureStatus)
		}
		if h.Kind == "list" {
			part += fmt.Sprintf(" of %d", len(h.Tools))
		}
		parts = append(parts, part)
	}
	for _, c := range r.Calls {
		parts = append(parts, c.Name)
	}
	if len(r.Calls) > 10 {
		parts = []string{fmt.Sprintf("%d calls", len(r.Calls))}
	}
	for name, there := range map[string]bool{"text": r.Text != "", "refusal": r.Refusal != ""} {
		if there {
			parts = append(parts, name)
		}
	}
	for _, more := range []string{r.Incomplete, r.Blocked} {
		if more != "" {
			parts = append(parts, more)
		}
	}
	return strings.Join(parts, ", ")
}

// TestReplay plays every recording through the client, request by request.
func TestReplay(t *testing.T) {
	t.Parallel()
	all := recordings(t)
	require.Equal(t, slices.Sorted(maps.Keys(outcomes)), slices.Sorted(maps.Keys(all)))
	for name, exchanges := range all {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, seen := serve(t, replay(exchanges...))
			sent := 0
			var got []string
			for _, e := range exchanges {
				got = append(got, e.play(t, c))
				if len(seen) == 0 { // a resumed stream, which is only decoded
					continue
				}
				sent++
				e.requireSent(t, <-seen)
				require.Empty(t, seen, "one request, never a second")
			}
			require.Empty(t, cmp.Diff(outcomes[name], got))
			require.Positive(t, sent)
		})
	}
}

// TestReplayAwait follows recorded background work from its start to its end.
func TestReplayAwait(t *testing.T) {
	t.Parallel()
	all := recordings(t)
	for name, turns := range map[string][][]exchange{
		"pai-10-background-poll": {all["pai-10-background-poll"]},
		"pai-11-background-tool": {all["pai-11-background-tool"][:2], all["pai-11-background-tool"][2:]},
	} {
		for _, exchanges := range turns {
			c, seen := serve(t, replay(exchanges...))
			id, status, err := c.Start(t.Context(), exchanges[0].request(t))
			require.NoError(t, err, name)
			require.Equal(t, "queued", status)
			var told []string
			res, err := c.Await(t.Context(), id, func(s string) { told = append(told, s) })
			require.NoError(t, err, name)
			require.Equal(t, id, res.ID)
			require.Len(t, seen, len(exchanges), "one POST and the recorded looks")
			require.Len(t, told, len(exchanges)-2)
			last := exchanges[len(exchanges)-1]
			require.Empty(t, cmp.Diff(last.expected(t), res, cmpopts.IgnoreFields(Response{}, "RequestID")))
		}
	}
}

func requireError(t testing.TB, err error) *Error {
	t.Helper()
	e, ok := errors.AsType[*Error](err)
	require.True(t, ok, "%T %v", err, err)
	require.NotEmpty(t, e.Message)
	require.NotContains(t, fmt.Sprintf("%v %+v %#v", err, err, err), testKey)
	return e
}
