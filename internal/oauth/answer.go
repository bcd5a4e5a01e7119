package oauth

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"steward/internal/fault"
)

// usualExpiry is how long an access token is taken to live when the provider does not say (RFC 6749 §5.1). A
// token that dies before is renewed after its first 401.
const usualExpiry = time.Hour

func expiry(t *oauth2.Token) time.Time {
	if t.Expiry.IsZero() {
		return time.Now().Add(usualExpiry)
	}
	return t.Expiry
}

// granted reads the scopes that a token has: what the provider says, else what stands for silence.
func granted(t *oauth2.Token, silent []string) []string {
	if text, _ := t.Extra("scope").(string); text != "" {
		return scopesOf(text)
	}
	return silent
}

// errAnswered is in the chain of failures that a token endpoint has answered with itself.
var errAnswered = errors.New("token endpoint")

// failure says whether the grant itself was refused (invalid_grant, RFC 6749 §5.2), and turns an error of a token
// endpoint into a fault. The library's own text is not passed on when the server has answered: it
// holds the whole answer, in which a careless server repeats our secrets.
func failure(title string, err error) (refused bool, failed error) {
	upstream := fault.Wrap(err, fault.Upstream, "%s does not answer as it should", title).WithCode(CodeProvider)
	answer, ok := errors.AsType[*oauth2.RetrieveError](err)
	if !ok {
		return false, upstream
	}
	status := answer.Response.StatusCode
	upstream.Err = fmt.Errorf("%w: status %d, error %q", errAnswered, status, short(answer.ErrorCode))
	upstream.RetryAfter = retryAfter(answer.Response.Header)
	if status >= http.StatusInternalServerError || status == http.StatusTooManyRequests {
		return false, upstream // whatever it says besides
	}
	switch answer.ErrorCode {
	case "invalid_grant":
		return true, upstream
	case "invalid_client", "unauthorized_client":
		return false, fault.Wrap(upstream.Err, fault.Unavailable,
			"%s refuses this service's registration: its operator has to look at client id and secret", title).WithCode(CodeMisconfigured)
	}
	return false, upstream
}

// longestWait bounds what a provider may ask for.
const longestWait = time.Hour

// retryAfter reads RFC 9110 §10.2.3, both forms; 0 if there is none.
func retryAfter(h http.Header) time.Duration {
	text := h.Get("Retry-After")
	wait := time.Duration(0)
	if seconds, err := strconv.ParseInt(text, 10, 32); err == nil {
		wait = time.Duration(seconds) * time.Second
	} else if at, err := http.ParseTime(text); err == nil {
		wait = time.Until(at)
	}
	return min(max(wait, 0), longestWait)
}

// short cuts foreign text for the log.
func short(text string) string {
	const most = 64
	if len(text) > most {
		text = text[:most]
	}
	return strings.ToValidUTF8(text, "?")
}
