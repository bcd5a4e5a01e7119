package llm

import (
	"context"
	"encoding/json"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	queued  = `{"id":"resp_1","status":"queued","background":true}`
	working = `{"id":"resp_1","status":"in_progress","background":true}`
)

func TestStart(t *testing.T) {
	t.Parallel()
	for provider, stored := range map[string]bool{"openai": false, "azure": true, "offline-rules": false} {
		c, seen := serve(t, answer(200, queued), func(c *Config) { c.Provider = provider })
		id, status, err := c.Start(t.Context(), Request{Model: "m", RequestID: "run/1"})
		require.NoError(t, err)
		require.Equal(t, []string{"resp_1", "queued"}, []string{id, status})
		got := <-seen
		require.Equal(t, "run/1", got.Header.Get("X-Client-Request-Id"))
		var body struct{ Background, Store bool }
		require.NoError(t, json.Unmarshal(got.Body, &body))
		require.True(t, body.Background)
		require.Equal(t, stored, body.Store, provider)
	}
}

func TestStartNeedsAnIDToComeBackTo(t *testing.T) {
	t.Parallel()
	for body, code := range map[string]string{
		completed: CodeBadResponse, // it was answered at once, and nothing will be found under the id
		`{"id":"resp_1","status":"completed","background":true}`: "",
		`{"status":"queued"}`:                        CodeBadResponse,
		`{"id":"../models","status":"queued"}`:       CodeBadResponse,
		`{"id":"` + testKey + `","status":"queued"}`: CodeBadResponse,
		`[]`: CodeBadResponse,
	} {
		c, _ := serve(t, answer(200, body, "X-Request-Id", "req_1"))
		_, _, err := c.Start(t.Context(), Request{Model: "m"})
		if code == "" {
			require.NoError(t, err)
			continue
		}
		e := requireError(t, err)
		require.Equal(t, code, e.Code, body)
		require.Equal(t, "req_1", e.RequestID)
		require.Equal(t, body != completed, e.Retryable, body)
	}
}

// script answers one request after the other, the last answer again and again.
func script(answers ...http.HandlerFunc) http.HandlerFunc {
	var next atomic.Int64
	return func(w http.ResponseWriter, r *http.Request) {
		answers[min(int(next.Add(1)), len(answers))-1](w, r)
	}
}

func abort(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

func TestAwaitOutlivesFailedLooks(t *testing.T) {
	t.Parallel()
	c, seen := serve(t, script(
		answer(200, queued), abort, answer(500, ``), answer(503, ``), answer(429, ``, "Retry-After", "0.001"),
		answer(408, ``), answer(409, ``), answer(200, working, "Content-Length", "999"), answer(200, `{}`),
		answer(200, working), answer(200, completed, "X-Request-Id", "req_7"),
	))
	c.pace.patience = time.Minute // the machine may be busy
	var told []string
	res, err := c.Await(t.Context(), "resp_1", func(s string) { told = append(told, s) })
	require.NoError(t, err)
	require.Equal(t, "req_7", res.RequestID)
	require.Equal(t, []string{"queued", "in_progress"}, told)
	require.Len(t, seen, 11)
	for range 11 {
		r := <-seen
		require.Equal(t, "GET /v1/responses/resp_1", r.Method+" "+r.Path)
	}
}

func TestAwaitEnds(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		answer http.HandlerFunc
		code   string
		looks  int
	}{
		"gone":                {answer(404, ``), CodeGone, 1},
		"key refused":         {answer(401, ``), "http_401", 1},
		"asked to wait hours": {answer(429, ``, "Retry-After", "7200"), "http_429", 1},
		"work stopped":        {answer(200, `{"id":"resp_1","status":"cancelled","background":true}`), CodeCancelled, 1},
		// Retryable, but a new request is: this one is over.
		"work failed":     {answer(200, failedBody("server_error")), "server_error", 1},
		"never comes up":  {answer(500, ``), "http_500", 0},
		"never an answer": {answer(200, `<html>`), CodeBadResponse, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, seen := serve(t, row.answer)
			res, err := c.Await(t.Context(), "resp_1", nil)
			require.Nil(t, res)
			require.Equal(t, row.code, requireError(t, err).Code)
			if row.looks > 0 {
				require.Len(t, seen, row.looks)
			} else {
				require.Greater(t, len(seen), 5, "it was patient")
			}
		})
	}
}

func TestAwaitStopsWithItsContext(t *testing.T) {
	t.Parallel()
	c, _ := serve(t, answer(200, working))
	ctx, cancel := context.WithCancel(t.Context())
	_, err := c.Await(ctx, "resp_1", func(string) { cancel() })
	require.ErrorIs(t, err, context.Canceled)
}

func TestPollAfter(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"": 0, "0": 0, "-5": 0, "soon": 0, "250": 250 * time.Millisecond, "9999999": time.Minute, "99999999999999999999": 0,
	} {
		require.Equal(t, want, pollAfter(http.Header{"Openai-Poll-After-Ms": {text}}), text)
	}
	// The pace asked for is kept: the second look comes when it is due, long before our own would.
	c, _ := serve(t, script(answer(200, working, "Openai-Poll-After-Ms", "1"), answer(200, completed)))
	c.pace.first = time.Hour
	_, err := c.Await(t.Context(), "resp_1", nil)
	require.NoError(t, err)
}

func TestRetrieve(t *testing.T) {
	t.Parallel()
	c, _ := serve(t, script(answer(200, queued), answer(200, completed)))
	res, done, err := c.Retrieve(t.Context(), "resp_1")
	require.NoError(t, err)
	require.False(t, done)
	require.Nil(t, res)
	res, done, err = c.Retrieve(t.Context(), "resp_1")
	require.NoError(t, err)
	require.True(t, done)
	require.Equal(t, "resp_1", res.ID)
}

func TestCancel(t *testing.T) {
	t.Parallel()
	c, seen := serve(t, answer(200, `{"id":"resp_1","status":"cancelled"}`))
	require.NoError(t, c.Cancel(t.Context(), "resp_1"))
	r := <-seen
	require.Equal(t, "POST /v1/responses/resp_1/cancel", r.Method+" "+r.Path)
}

func TestIDsAreNoPaths(t *testing.T) {
	t.Parallel()
	c, seen := serve(t, answer(200, completed))
	for _, id := range []string{"", "..", "a/b", "a?b", "%2e", "a b"} {
		_, err := c.Await(t.Context(), id, nil)
		require.Equal(t, CodeBadRequest, requireError(t, err).Code, id)
		require.Equal(t, CodeBadRequest, requireError(t, c.Cancel(t.Context(), id)).Code, id)
	}
	require.Empty(t, seen)
}
