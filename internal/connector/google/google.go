// Package google is what connectors to Google's APIs have in common: how their client is set up, and what its
// errors mean for a call.
package google

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"google.golang.org/api/googleapi"
	"google.golang.org/api/option"

	"steward/internal/connector"
	"steward/internal/fault"
	"steward/internal/oauth"
)

// Provider is the name of the oauth.Provider of all of Google.
const Provider = "google"

// Options sets up a Google client for a session. The session's client carries the token, so that the library
// looks for none; path is that of the API below the base, such as "drive/v3/".
func Options(s *connector.Session, path string) []option.ClientOption {
	options := []option.ClientOption{option.WithHTTPClient(client(s))}
	if s.BaseURL != "" {
		options = append(options, option.WithEndpoint(strings.TrimSuffix(s.BaseURL, "/")+"/"+path))
	}
	return options
}

// Failure is what an error of a Google client means for a call of a tool that needs one of the scopes.
func Failure(s *connector.Session, service string, scopes []string, err error) *connector.Error {
	if e, ok := errors.AsType[*connector.Error](err); ok {
		return e
	}
	if need, ok := errors.AsType[*oauth.ConsentError](err); ok {
		return &connector.Error{Reason: need.Reason, Err: err}
	}
	if own, ok := errors.AsType[*fault.Error](err); ok { // of the session's client, which then keeps the request back
		return &connector.Error{Reason: own.Msg, RetryAfter: own.RetryAfter, Err: err}
	}
	if answer, ok := errors.AsType[*googleapi.Error](err); ok {
		return answered(s, service, scopes, answer)
	}
	if dial, ok := errors.AsType[*net.OpError](err); ok && dial.Op == "dial" {
		return &connector.Error{Reason: service + " could not be reached", Err: err}
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return &connector.Error{Ran: true, Reason: service + " did not answer in time", Err: err}
	}
	return &connector.Error{Ran: true, Reason: "the connection to " + service + " broke before the answer came", Err: err}
}

// answered says what a status means (https://developers.google.com/workspace/gmail/api/guides/handle-errors).
// Google refuses before it acts, except where it has failed itself.
func answered(s *connector.Session, service string, scopes []string, e *googleapi.Error) *connector.Error {
	switch {
	case e.Code == http.StatusUnauthorized:
		// The session's client has refreshed the token and tried again. Had the grant ended, the refresh would have
		// said so: consent is not what is missing, and a run that waited for it would be woken at once by the
		// fresh token's version, for ever.
		return &connector.Error{Reason: service + " does not accept a token that is fresh", Err: e}
	case e.Code == http.StatusForbidden && has(e, "insufficientPermissions", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"):
		return consent(s, scopes, service+" was not granted what this needs", e)
	case e.Code == http.StatusTooManyRequests, e.Code == http.StatusForbidden && has(e, "rateLimitExceeded", "userRateLimitExceeded"):
		return &connector.Error{Reason: service + " asks to wait", RetryAfter: retryAfter(e.Header), Err: e}
	case e.Code >= http.StatusInternalServerError || e.Code == http.StatusRequestTimeout:
		return &connector.Error{Ran: true, Reason: service + " has failed", RetryAfter: retryAfter(e.Header), Err: e}
	default:
		return &connector.Error{Answered: true, Reason: service + " refused it: " + said(e), Err: e}
	}
}

func consent(s *connector.Session, scopes []string, reason string, cause *googleapi.Error) *connector.Error {
	need := &oauth.ConsentError{Provider: Provider, Scopes: scopes, Version: s.Version, Reason: reason}
	return &connector.Error{Reason: reason, Err: errors.Join(need, cause)}
}

func has(e *googleapi.Error, reasons ...string) bool {
	for _, reason := range reasons {
		for _, item := range e.Errors {
			if item.Reason == reason {
				return true
			}
		}
		if strings.Contains(e.Body, `"`+reason+`"`) { // in details, whose form differs by API
			return true
		}
	}
	return false
}

// longestMessage bounds what Google says in characters; it may quote what was asked.
const longestMessage = 300

// said is Google's sentence, or the name of the status.
func said(e *googleapi.Error) string {
	text := []rune(strings.TrimSpace(e.Message))
	if len(text) == 0 {
		return strings.ToLower(http.StatusText(e.Code))
	}
	return string(text[:min(len(text), longestMessage)])
}

// longestWait bounds what we believe of a wait that is asked for.
const longestWait = time.Hour

// retryAfter reads the header in both its forms (RFC 9110 §10.2.3), 0 if there is none.
func retryAfter(h http.Header) time.Duration {
	text := h.Get("Retry-After")
	wait := time.Duration(0)
	if seconds, err := strconv.Atoi(text); err == nil {
		wait = time.Duration(min(seconds, int(longestWait/time.Second))) * time.Second
	} else if at, err := http.ParseTime(text); err == nil {
		wait = time.Until(at)
	}
	return max(0, min(wait, longestWait))
}
