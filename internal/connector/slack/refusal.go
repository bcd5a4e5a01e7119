package slack

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"steward/internal/connector"
	"steward/internal/fault"
	"steward/internal/oauth"
)

// refusal is an answer that is none of the method's.
type refusal struct {
	method string
	status int
	word   string // Slack's
	wait   time.Duration
}

// Error is for the log.
func (r *refusal) Error() string {
	return fmt.Sprintf("%s: status %d, error %q", r.method, r.status, r.plain())
}

// plain is the word if it is one.
func (r *refusal) plain() string {
	const longest = 64
	if len(r.word) > longest || strings.ContainsFunc(r.word, func(c rune) bool { return (c < 'a' || c > 'z') && c != '_' && (c < '0' || c > '9') }) {
		return ""
	}
	return r.word
}

// sentences say what a model can do about a refusal.
var sentences = map[string]string{
	"channel_not_found": "there is no such channel, or the account cannot see it",
	"not_in_channel":    "the account is not in that channel",
	"is_archived":       "the channel is archived",
	"thread_not_found":  "there is no message with that ts in the channel",
	"msg_too_long":      "the text is too long",
	"no_text":           "the text is empty",
	"invalid_cursor":    "the page_token is of another list",
	"invalid_auth":      "Slack does not accept a token that is fresh",
}

// failure is what an error of call means for a call that may have posted something.
func failure(err error) *connector.Error {
	if e, ok := errors.AsType[*connector.Error](err); ok {
		return e
	}
	if need, ok := errors.AsType[*oauth.ConsentError](err); ok {
		return &connector.Error{Reason: need.Reason, Err: err}
	}
	if own, ok := errors.AsType[*fault.Error](err); ok { // of the session's client, which then keeps the request back
		return &connector.Error{Reason: own.Msg, RetryAfter: own.RetryAfter, Err: err}
	}
	if r, ok := errors.AsType[*refusal](err); ok {
		return r.failure()
	}
	if dial, ok := errors.AsType[*net.OpError](err); ok && dial.Op == "dial" {
		return &connector.Error{Reason: "Slack could not be reached", Err: err}
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return &connector.Error{Ran: true, Reason: "Slack did not answer in time", Err: err}
	}
	return &connector.Error{Ran: true, Reason: "the connection to Slack broke before the answer came", Err: err}
}

// readFailure is failure for a call that changes nothing: it has not happened.
func readFailure(err error) *connector.Error {
	f := *failure(err)
	f.Ran = false
	return &f
}

// failure: of internal_error and fatal_error Slack says that a part may have succeeded before.
func (r *refusal) failure() *connector.Error {
	switch {
	case r.status == http.StatusTooManyRequests, r.word == "ratelimited", r.word == "rate_limited":
		return &connector.Error{Reason: "Slack asks to wait", RetryAfter: r.wait, Err: r}
	case r.status != http.StatusOK, r.word == "", r.word == "internal_error", r.word == "fatal_error", r.word == "service_unavailable", r.word == "request_timeout":
		return &connector.Error{Ran: true, Reason: "Slack has failed", RetryAfter: r.wait, Err: r}
	}
	if sentence := sentences[r.word]; sentence != "" {
		return &connector.Error{Answered: true, Reason: sentence, Err: r}
	}
	return &connector.Error{Answered: true, Reason: "Slack refused it: " + r.plain(), Err: r}
}

// longestWait bounds what we believe of a wait that is asked for.
const longestWait = time.Hour

// retryAfter reads the header, which Slack gives in seconds (https://docs.slack.dev/apis/web-api/rate-limits).
func retryAfter(h http.Header) time.Duration {
	seconds, err := strconv.Atoi(h.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return 0
	}
	return time.Duration(min(seconds, int(longestWait/time.Second))) * time.Second
}
