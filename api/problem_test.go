package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"steward/internal/fault"
)

func TestErrorsBecomeProblems(t *testing.T) {
	t.Parallel()
	secret := errors.New("SELECT password FROM users; dial tcp 10.0.0.5: /etc/steward")
	for name, c := range map[string]struct {
		err    error
		status int
		code   string
		detail string
	}{
		"invalid":            {fault.InvalidField("body.x", "too long"), 422, "invalid", "body.x: too long"},
		"malformed":          {fault.New(fault.Malformed, "m"), 400, "malformed", "m"},
		"unauthorized":       {fault.New(fault.Unauthorized, "m"), 401, "unauthorized", "m"},
		"forbidden":          {fault.New(fault.Forbidden, "m"), 403, "forbidden", "m"},
		"not found":          {fault.New(fault.NotFound, "m"), 404, "not_found", "m"},
		"conflict":           {fault.New(fault.Conflict, "m").WithCode("stale_digest"), 409, "stale_digest", "m"},
		"exhausted":          {fault.New(fault.Exhausted, "m"), 429, "exhausted", "m"},
		"upstream":           {fault.Wrap(secret, fault.Upstream, "the server failed"), 502, "upstream", "the server failed"},
		"unavailable":        {fault.Wrap(secret, fault.Unavailable, "later"), 503, "unavailable", "later"},
		"internal":           {fault.Wrap(secret, fault.Internal, "inner"), 500, "internal", internalText},
		"wrapped":            {fmt.Errorf("start run: %w", fault.New(fault.Conflict, "m")), 409, "conflict", "m"},
		"joined":             {errors.Join(secret, fault.New(fault.NotFound, "m")), 404, "not_found", "m"},
		"plain":              {secret, 500, "internal", internalText},
		"connection lost":    {fmt.Errorf("read run: %w", &net.OpError{Op: "read", Err: secret}), 503, "database_unavailable", "the database cannot be reached; nothing is lost, try again"},
		"server stopping":    {&pgconn.PgError{Code: "57P01", Message: "secret"}, 503, "database_unavailable", "the database cannot be reached; nothing is lost, try again"},
		"SQL error":          {&pgconn.PgError{Code: "42601", Message: "syntax error at SELECT"}, 500, "internal", internalText},
		"body too large":     {fmt.Errorf("read: %w", &http.MaxBytesError{Limit: 1}), 413, "too_large", "the request body is too large"},
		"body cut off":       {io.ErrUnexpectedEOF, 400, "malformed", "the request body ended early"},
		"caller went away":   {fmt.Errorf("q: %w", context.Canceled), 503, "cancelled", "the request was cancelled"},
		"problem stays":      {newProblem(415, "", "m"), 415, "unsupported_media_type", "m"},
		"status without map": {newProblem(418, "", "m"), 500, "internal", internalText},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := problemOf(c.err)
			require.Equal(t, c.status, p.Status)
			require.Equal(t, c.code, p.Code)
			require.Equal(t, c.detail, p.Detail)
			require.Equal(t, c.detail, p.Text)
			require.Equal(t, http.StatusText(c.status), p.Title)
			require.Equal(t, "urn:steward:problem:"+c.code, p.Type)
		})
	}
}

func TestEveryKindHasAStatusAndEveryStatusAMeaning(t *testing.T) {
	t.Parallel()
	for _, kind := range []fault.Kind{
		fault.Invalid, fault.Malformed, fault.Unauthorized, fault.Forbidden, fault.NotFound, fault.Conflict, fault.Exhausted,
		fault.Upstream, fault.Unavailable, fault.Internal,
	} {
		require.NotZero(t, statusOf[kind], kind)
		require.NotEmpty(t, meaning[statusOf[kind]], kind)
		require.NotEmpty(t, exampleDetail[statusOf[kind]], kind)
	}
}

func TestRejectedInputIsNotEchoed(t *testing.T) {
	t.Parallel()
	p := rejected(422, "validation failed", []error{
		&huma.ErrorDetail{Location: "body.password", Message: "expected length >= 8", Value: "hunter2"},
		&huma.ErrorDetail{Location: "body.port", Message: "expected integer", Value: "hunter2"},
	})
	require.Equal(t, "2 fields of the request are not valid", p.Detail)
	require.Equal(t, []Complaint{{"body.password", "expected length >= 8"}, {"body.port", "expected integer"}}, p.Errors)
	raw, err := json.Marshal(p)
	require.NoError(t, err)
	require.NotContains(t, string(raw), "hunter2")
}

func TestRefuseWritesTheWholeShape(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(context.WithValue(t.Context(), requestKey{}, &request{id: "id-1"}), http.MethodGet, "/", nil)
	refuse(w, r, fault.InvalidField("query.limit", "too large").WithRetryAfter(1500*time.Millisecond))
	require.Equal(t, "2", w.Header().Get("Retry-After"), "rounded up")
	require.JSONEq(t, `{
		"type": "urn:steward:problem:invalid", "title": "Unprocessable Entity", "status": 422, "detail": "query.limit: too large",
		"code": "invalid", "request_id": "id-1", "errors": [{"location": "query.limit", "message": "too large"}],
		"success": false, "error": "query.limit: too large"
	}`, w.Body.String())
}
