// Package fault is the error vocabulary that every layer shares. A fault is what a person may read;
// it is mapped once to HTTP (api/problem.go) and once to Temporal (activities/errors.go).
package fault

import (
	"errors"
	"fmt"
	"time"
)

// Kind says what sort of failure it is; the edges choose their answer by it alone.
type Kind string

// The kinds, with the HTTP status that api/problem.go answers.
const (
	Invalid      Kind = "invalid"      // 422, with Fields
	Malformed    Kind = "malformed"    // 400: not even parseable
	Unauthorized Kind = "unauthorized" // 401
	Forbidden    Kind = "forbidden"    // 403
	NotFound     Kind = "not_found"    // 404, also for what belongs to somebody else
	Conflict     Kind = "conflict"     // 409
	Exhausted    Kind = "exhausted"    // 429, a rate or budget
	Upstream     Kind = "upstream"     // 502, a model, MCP server or database of the user
	Unavailable  Kind = "unavailable"  // 503, one of our own dependencies
	Internal     Kind = "internal"     // 500, text never shown
)

// Field is one precise complaint about the input, such as {"body.limits.steps", "must be at least 1"}.
// It never holds the rejected value.
type Field struct{ Location, Message string }

// Error is a failure that a person may read. Err, when set, is for the log only.
type Error struct {
	Kind       Kind
	Code       string        // stable, machine-readable; empty means string(Kind)
	Msg        string        // shown to the user: no SQL, path, host, secret
	Fields     []Field       // for Invalid
	RetryAfter time.Duration // for Exhausted and Unavailable; 0 means unset
	Err        error
}

// New makes a fault without a cause.
func New(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Msg: fmt.Sprintf(format, args...)}
}

// Wrap makes a fault whose cause goes to the log and never to the user.
func Wrap(err error, kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Msg: fmt.Sprintf(format, args...), Err: err}
}

// InvalidField is an Invalid fault about one input field.
func InvalidField(location, format string, args ...any) *Error {
	msg := fmt.Sprintf(format, args...)
	return &Error{Kind: Invalid, Msg: location + ": " + msg, Fields: []Field{{location, msg}}}
}

// WithCode returns a copy with a stable code.
func (e *Error) WithCode(code string) *Error {
	c := *e
	c.Code = code
	return &c
}

// WithRetryAfter returns a copy that tells the caller when to come back.
func (e *Error) WithRetryAfter(d time.Duration) *Error {
	c := *e
	c.RetryAfter = d
	return &c
}

// Error is for logs: it includes the cause.
func (e *Error) Error() string {
	if e.Err != nil {
		return e.Msg + ": " + e.Err.Error()
	}
	return e.Msg
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// KindOf is the kind of the first fault in err's chain, Internal if there is none.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Internal
}

// CodeOf is the stable code of the first fault in err's chain.
func CodeOf(err error) string {
	if e, ok := errors.AsType[*Error](err); ok && e.Code != "" {
		return e.Code
	}
	return string(KindOf(err))
}

// Is reports whether err's chain holds a fault of the given kind.
func Is(err error, kind Kind) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Kind == kind
}

// Text is what a person may read of err: the message of the first fault in its chain, or a sentence that
// says nothing about the inside.
func Text(err error) string {
	if e, ok := errors.AsType[*Error](err); ok && e.Kind != Internal {
		return e.Msg
	}
	return "internal error"
}
