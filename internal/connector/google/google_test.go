package google_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/api/googleapi"

	"steward/internal/connector"
	"steward/internal/connector/google"
	"steward/internal/fault"
	"steward/internal/oauth"
)

func TestFailure(t *testing.T) {
	t.Parallel()
	at := time.Now().Add(90 * time.Second).UTC().Format(http.TimeFormat)
	answer := func(code int, reason string, wait string) error {
		e := &googleapi.Error{Code: code, Message: "said " + strings.Repeat("x", 400), Header: http.Header{}}
		if reason != "" {
			e.Errors = []googleapi.ErrorItem{{Reason: reason}}
		}
		if wait != "" {
			e.Header.Set("Retry-After", wait)
		}
		return fmt.Errorf("do: %w", e)
	}
	for _, tt := range []struct {
		name          string
		err           error
		ran, answered bool
		consent       bool
		wait          time.Duration
		reason        string
	}{
		{"a fresh token is refused", answer(401, "authError", ""), false, false, false, 0, "not accept"},
		{"grant is gone", &url.Error{Op: "Post", Err: &oauth.ConsentError{Reason: "withdrawn"}}, false, false, true, 0, "withdrawn"},
		{"scope is missing", answer(403, "insufficientPermissions", ""), false, false, true, 0, "not granted"},
		{"scope is missing, said in the details", &googleapi.Error{Code: 403, Body: `{"details":[{"reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT"}]}`}, false, false, true, 0, "not granted"},
		{"scope is missing, refused by our client", &url.Error{Op: "Post", Err: &oauth.ConsentError{Reason: "not connected"}}, false, false, true, 0, "not connected"},
		{"our client could not refresh", &url.Error{Op: "Post", Err: fault.New(fault.Upstream, "Google does not answer").WithRetryAfter(time.Minute)}, false, false, false, time.Minute, "Google does not answer"},
		{"forbidden by a policy", answer(403, "domainPolicy", ""), false, true, false, 0, "refused it: said"},
		{"too many", answer(429, "", "7"), false, false, false, 7 * time.Second, "asks to wait"},
		{"too many until", answer(429, "", at), false, false, false, 90 * time.Second, "asks to wait"},
		{"too many for ever", answer(429, "", "999999999"), false, false, false, time.Hour, "asks to wait"},
		{"too many, nonsense", answer(429, "", "-soon"), false, false, false, 0, "asks to wait"},
		{"quota", answer(403, "rateLimitExceeded", ""), false, false, false, 0, "asks to wait"},
		{"not found", answer(404, "notFound", ""), false, true, false, 0, "refused it"},
		{"bad request", answer(400, "", ""), false, true, false, 0, "refused it"},
		{"conflict", answer(409, "", ""), false, true, false, 0, "refused it"},
		{"failed", answer(500, "", ""), true, false, false, 0, "has failed"},
		{"busy", answer(503, "", "2"), true, false, false, 2 * time.Second, "has failed"},
		{"gave up waiting", answer(408, "", ""), true, false, false, 0, "has failed"},
		{"no connection", &url.Error{Err: &net.OpError{Op: "dial", Err: errors.New("refused")}}, false, false, false, 0, "could not be reached"},
		{"broken connection", &url.Error{Err: &net.OpError{Op: "read", Err: errors.New("reset")}}, true, false, false, 0, "broke"},
		{"no answer in time", &url.Error{Err: context.DeadlineExceeded}, true, false, false, 0, "in time"},
		{"already known", &connector.Error{Answered: true, Reason: "known"}, false, true, false, 0, "known"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e := google.Failure(&connector.Session{Version: 7}, "Drive", []string{"scope"}, tt.err)
			require.Equal(t, []bool{tt.ran, tt.answered}, []bool{e.Ran, e.Answered})
			require.InDelta(t, tt.wait.Seconds(), e.RetryAfter.Seconds(), 2)
			require.Contains(t, e.Reason, tt.reason)
			require.LessOrEqual(t, len(e.Reason), 350)
			_, consent := errors.AsType[*oauth.ConsentError](e)
			require.Equal(t, tt.consent, consent)
		})
	}
}

func TestConsentNamesWhatIsMissing(t *testing.T) {
	t.Parallel()
	session := &connector.Session{Version: 7}
	scope, _ := errors.AsType[*oauth.ConsentError](google.Failure(session, "Drive", []string{"a", "b"}, &googleapi.Error{
		Code: 403, Errors: []googleapi.ErrorItem{{Reason: "insufficientPermissions"}},
	}))
	require.Equal(t, &oauth.ConsentError{Provider: "google", Scopes: []string{"a", "b"}, Version: 7, Reason: "Drive was not granted what this needs"}, scope)
}
