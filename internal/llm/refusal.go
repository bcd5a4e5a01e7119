package llm

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// refused classifies an answer that is not 200.
func (g guard) refused(res *http.Response) *Error {
	// The SDK has read the body of a 4xx or 5xx and put it back; of others it is whatever can be read.
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		raw = nil // the status alone decides
	}
	_ = res.Body.Close() // read to its end or of no more use
	var body struct{ Error problem }
	_ = json.Unmarshal(raw, &body) // HTML, or nothing
	p := body.Error
	e := &Error{
		Code: p.code(g), Status: res.StatusCode, RequestID: g.requestID(res.Header),
		RetryAfter: retryAfter(res.Header, time.Now()),
	}
	if e.Code == "" {
		e.Code = fmt.Sprintf("http_%d", res.StatusCode)
	}
	p.describe(e, g)
	e.Retryable = !p.quota() && (p.connector() || transient(res.StatusCode))
	switch res.Header.Get("X-Should-Retry") {
	case "true":
		e.Retryable = true
	case "false":
		e.Retryable = false
	}
	if e.Retryable && e.RetryAfter > MaxRetryAfter {
		e.Retryable = false
		e.Message += fmt.Sprintf(", and asks to wait %s", e.RetryAfter.Round(time.Second))
	}
	return e
}

// transient says that a status may be another one later.
func transient(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusConflict, http.StatusTooManyRequests:
		return true
	}
	return status >= 500
}
