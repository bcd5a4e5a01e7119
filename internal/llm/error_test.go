package llm

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/require"

	"steward/internal/secret"
)

func problemBody(typ, code string) string {
	return fmt.Sprintf(`{"error":{"message":"text with %s","type":%q,"param":null,"code":%q}}`, testKey, typ, code)
}

// TestRetryTable is the table of reference/llm.md §1.4.
func TestRetryTable(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		answer http.HandlerFunc
		want   Error
	}{
		"408":           {answer(408, ``), Error{Code: "http_408", Status: 408, Retryable: true}},
		"409":           {answer(409, `{}`), Error{Code: "http_409", Status: 409, Retryable: true}},
		"500":           {answer(500, problemBody("server_error", "server_error")), Error{Code: "server_error", Status: 500, Retryable: true}},
		"502 HTML":      {answer(502, `<html>`, "Content-Type", "text/html"), Error{Code: "http_502", Status: 502, Retryable: true}},
		"503 overload":  {answer(503, problemBody("server_error", "server_is_overloaded")), Error{Code: "server_is_overloaded", Status: 503, Retryable: true}},
		"504":           {answer(504, `null`), Error{Code: "http_504", Status: 504, Retryable: true}},
		"429 rate":      {answer(429, problemBody("tokens", "rate_limit_exceeded"), "Retry-After", "3"), Error{Code: "rate_limit_exceeded", Status: 429, Retryable: true, RetryAfter: 3 * time.Second}},
		"429 slow down": {answer(429, problemBody("rate_limit_error", "slow_down"), "Retry-After-Ms", "2500"), Error{Code: "slow_down", Status: 429, Retryable: true, RetryAfter: 2500 * time.Millisecond}},
		"429 Azure both": {
			answer(429, problemBody("", "429"), "Retry-After", "1", "Retry-After-Ms", "0"),
			Error{Code: "http_429", Status: 429, Retryable: true, RetryAfter: time.Second},
		},
		"429 zero wait":       {answer(429, `{}`, "Retry-After", "0"), Error{Code: "http_429", Status: 429, Retryable: true}},
		"429 number as code":  {answer(429, `{"error":{"code":429,"message":"m"}}`), Error{Code: "http_429", Status: 429, Retryable: true}},
		"429 wait too long":   {answer(429, problemBody("", "slow_down"), "Retry-After", "301"), Error{Code: "slow_down", Status: 429, RetryAfter: 301 * time.Second}},
		"429 longest wait":    {answer(429, problemBody("", "slow_down"), "Retry-After", "300"), Error{Code: "slow_down", Status: 429, Retryable: true, RetryAfter: MaxRetryAfter}},
		"429 quota":           {answer(429, problemBody("insufficient_quota", "insufficient_quota")), Error{Code: "insufficient_quota", Status: 429}},
		"429 quota by type":   {answer(429, problemBody("insufficient_quota", "brand_new"), "Retry-After", "1"), Error{Code: "brand_new", Status: 429, RetryAfter: time.Second}},
		"429 credit":          {answer(429, problemBody("", "credit_balance_exhausted")), Error{Code: "credit_balance_exhausted", Status: 429}},
		"429 organization":    {answer(429, problemBody("", "organization_spend_limit_exceeded")), Error{Code: "organization_spend_limit_exceeded", Status: 429}},
		"429 usage limit":     {answer(429, problemBody("", "organization_usage_limit_exceeded")), Error{Code: "organization_usage_limit_exceeded", Status: 429}},
		"429 project":         {answer(429, problemBody("", "project_spend_limit_exceeded")), Error{Code: "project_spend_limit_exceeded", Status: 429}},
		"400":                 {answer(400, problemBody("invalid_request_error", "unknown_parameter")), Error{Code: "unknown_parameter", Status: 400}},
		"400 error is text":   {answer(400, `{"error":"model 'x' not found"}`), Error{Code: "http_400", Status: 400}},
		"400 context":         {answer(400, problemBody("invalid_request_error", CodeTooLong)), Error{Code: CodeTooLong, Status: 400}},
		"401":                 {answer(401, problemBody("invalid_request_error", "invalid_api_key")), Error{Code: "invalid_api_key", Status: 401}},
		"401 type only":       {answer(401, `{"error":{"type":"authentication_error"}}`), Error{Code: "authentication_error", Status: 401}},
		"403":                 {answer(403, ``), Error{Code: "http_403", Status: 403}},
		"404":                 {answer(404, ``), Error{Code: "http_404", Status: 404}},
		"413":                 {answer(413, ``), Error{Code: "http_413", Status: 413}},
		"422":                 {answer(422, ``), Error{Code: "http_422", Status: 422}},
		"424 connector":       {answer(424, problemBody(CodeConnector, "http_error")), Error{Code: CodeConnector, Status: 424, Retryable: true}},
		"424 other":           {answer(424, ``), Error{Code: "http_424", Status: 424}},
		"302":                 {answer(302, ``, "Location", "http://192.0.2.1/v1/responses"), Error{Code: "http_302", Status: 302}},
		"204":                 {answer(204, ``), Error{Code: "http_204", Status: 204}},
		"x-should-retry yes":  {answer(400, ``, "X-Should-Retry", "true"), Error{Code: "http_400", Status: 400, Retryable: true}},
		"x-should-retry no":   {answer(500, ``, "X-Should-Retry", "false"), Error{Code: "http_500", Status: 500}},
		"key as code":         {answer(400, problemBody("", testKey)), Error{Code: "http_400", Status: 400}},
		"key as request id":   {answer(400, ``, "X-Request-Id", testKey), Error{Code: "http_400", Status: 400}},
		"sentence as code":    {answer(400, problemBody("", "drop table; --")), Error{Code: "http_400", Status: 400}},
		"request id":          {answer(400, ``, "X-Request-Id", "req_1"), Error{Code: "http_400", Status: 400, RequestID: "req_1"}},
		"Azure id":            {answer(400, ``, "Apim-Request-Id", "az_1"), Error{Code: "http_400", Status: 400, RequestID: "az_1"}},
		"200 server error":    {answer(200, failedBody("server_error")), Error{Code: "server_error", Status: 200, Retryable: true}},
		"200 failed, rate":    {answer(200, failedBody("rate_limit_exceeded")), Error{Code: "rate_limit_exceeded", Status: 200, Retryable: true}},
		"200 failed, other":   {answer(200, failedBody("invalid_prompt")), Error{Code: "invalid_prompt", Status: 200}},
		"200 failed, key":     {answer(200, failedBody(testKey)), Error{Code: "failed", Status: 200}},
		"long request id":     {answer(400, ``, "X-Request-Id", strings.Repeat("a", 129)), Error{Code: "http_400", Status: 400}},
		"200 failed, no code": {answer(200, `{"id":"r","status":"failed"}`), Error{Code: "failed", Status: 200}},
	} {
		for call, do := range everyCall {
			want := row.want
			switch {
			case want.Status == http.StatusOK && call != "respond" && call != "stream" && call != "retrieve":
				continue // the answer to these is not a response
			case want.Status == http.StatusNotFound && (call == "retrieve" || call == "cancel"):
				want.Code = CodeGone
			}
			t.Run(name+"/"+call, func(t *testing.T) {
				t.Parallel()
				c, seen := serve(t, row.answer)
				got := requireError(t, do(t.Context(), c))
				require.Empty(t, cmp.Diff(want, *got, cmpopts.IgnoreFields(Error{}, "Message")))
				require.Len(t, seen, 1, "one request, never a second")
			})
		}
	}
}

// everyCall is every request that the client makes but the probe.
var everyCall = map[string]func(context.Context, *Client) error{
	"respond": func(ctx context.Context, c *Client) error { _, err := c.Respond(ctx, Request{Model: "m"}); return err },
	"stream": func(ctx context.Context, c *Client) error {
		_, err := c.Stream(ctx, Request{Model: "m"}, nil)
		return err
	},
	"start":    func(ctx context.Context, c *Client) error { _, _, err := c.Start(ctx, Request{Model: "m"}); return err },
	"retrieve": func(ctx context.Context, c *Client) error { _, _, err := c.Retrieve(ctx, "resp_1"); return err },
	"cancel":   func(ctx context.Context, c *Client) error { return c.Cancel(ctx, "resp_1") },
	"count": func(ctx context.Context, c *Client) error {
		_, err := c.CountTokens(ctx, Request{Model: "m"})
		return err
	},
	"compact": func(ctx context.Context, c *Client) error {
		_, _, err := c.Compact(ctx, Request{Model: "m"})
		return err
	},
}

func failedBody(code string) string {
	return fmt.Sprintf(`{"id":"r","status":"failed","error":{"code":%q,"message":"%s"}}`, code, testKey)
}

func TestUnusableAnswers(t *testing.T) {
	t.Parallel()
	for name, h := range map[string]http.HandlerFunc{
		"empty object":      answer(200, `{}`),
		"empty":             answer(200, ``),
		"html":              answer(200, `<html>`+testKey, "Content-Type", "text/html"),
		"stream":            answer(200, "event: response.created\ndata: {}\n\n", "Content-Type", "text/event-stream"),
		"cut":               answer(200, completed, "Content-Length", "9999"),
		"no id":             answer(200, `{"status":"completed","output":[]}`),
		"no status":         answer(200, `{"id":"r","output":[]}`),
		"queued":            answer(200, `{"id":"r","status":"queued","output":[]}`),
		"in progress":       answer(200, `{"id":"r","status":"in_progress","output":[]}`),
		"call without id":   answer(200, `{"id":"r","status":"completed","output":[{"type":"function_call","name":"n","arguments":"{}"}]}`),
		"call without name": answer(200, `{"id":"r","status":"completed","output":[{"type":"function_call","call_id":"c","arguments":"{}"}]}`),
		"item no object":    answer(200, `{"id":"r","status":"completed","output":[1]}`),
		"message as text":   answer(200, `{"id":"r","status":"completed","output":[{"type":"message","content":"x"}]}`),
		"one id twice": answer(200, `{"id":"r","status":"completed","output":[
			{"type":"function_call","call_id":"c","name":"n","arguments":"{}"},{"type":"function_call","call_id":"c","name":"m","arguments":"{}"}]}`),
		"longer than the limit": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			chunk := []byte(strings.Repeat(" ", 1<<20))
			for range maxBody>>20 + 1 {
				_, _ = w.Write(chunk)
			}
			_, _ = w.Write([]byte(completed))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, _ := serve(t, h)
			res, err := c.Respond(t.Context(), Request{Model: "m"})
			require.Nil(t, res)
			e := requireError(t, err)
			require.Equal(t, CodeBadResponse, e.Code)
			require.True(t, e.Retryable)
		})
	}
}

func TestNoAnswer(t *testing.T) {
	t.Parallel()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	hang := make(chan struct{})
	slow, _ := provider(t, func(http.ResponseWriter, *http.Request) { <-hang })
	t.Cleanup(func() { close(hang) })
	reset, _ := serve(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })

	_, err := client(t, gone.URL).Respond(t.Context(), Request{Model: "m"})
	e := requireError(t, err)
	require.Equal(t, "the model provider cannot be reached: connection refused (network)", e.Error())
	require.True(t, e.Retryable)

	_, err = reset.Respond(t.Context(), Request{Model: "m"})
	require.Equal(t, CodeNetwork, requireError(t, err).Code)

	_, err = client(t, slow, func(c *Config) { c.HTTP.Timeout = 20 * time.Millisecond }).Respond(t.Context(), Request{Model: "m"})
	e = requireError(t, err)
	require.Equal(t, CodeTimeout, e.Code)
	require.True(t, e.Retryable)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = client(t, slow).Respond(ctx, Request{Model: "m"})
	require.ErrorIs(t, err, context.Canceled)
	ctx, cancel = context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err = client(t, slow).Respond(ctx, Request{Model: "m"})
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestRetryAfterHeader(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	for _, row := range []struct {
		seconds, millis string
		want            time.Duration
	}{
		{"", "", 0},
		{"2", "", 2 * time.Second},
		{"0.5", "", 500 * time.Millisecond},
		{"", "1500", 1500 * time.Millisecond},
		{"1", "0", time.Second},
		{"1", "5000", 5 * time.Second},
		{"Sat, 21 Nov 2026 09:00:07 GMT", "", 7 * time.Second},
		{"Sat, 21 Nov 2026 08:00:00 GMT", "", 0},
		{"-1", "NaN", 0},
		{"soon", "", 0},
		{"1e999", "", 1<<63 - 1},
		{"Inf", "", 1<<63 - 1},
	} {
		h := http.Header{}
		h.Set("Retry-After", row.seconds)
		h.Set("Retry-After-Ms", row.millis)
		require.Equal(t, row.want, retryAfter(h, now), "%+v", row)
	}
}

// FuzzRefused holds the reader of errors to: no panic, a code, a message, and nothing of the key.
func FuzzRefused(f *testing.F) {
	for _, exchanges := range recordings(f) {
		for _, e := range exchanges {
			if e.Response.Status != http.StatusOK {
				f.Add([]byte(e.Response.Body), e.Response.Status)
			}
		}
	}
	f.Add([]byte(`{"error":{"type":"external_connector_error","message":"MCP server: '`+testKey+`' (401)"}}`), 424)
	f.Add([]byte(`{"error":{"code":"`+testKey+`","param":["x"]}}`), 400)
	f.Fuzz(func(t *testing.T, body []byte, status int) {
		g := (&Client{key: secret.New(testKey)}).guard(nil)
		e := g.refused(&http.Response{StatusCode: status, Header: http.Header{}, Body: readCloser{strings.NewReader(string(body))}})
		require.NotEmpty(t, e.Code)
		require.Equal(t, e, requireError(t, e))
	})
}
