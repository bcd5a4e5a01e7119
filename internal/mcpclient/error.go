package mcpclient

import (
	"errors"
	"fmt"
	"time"
)

// Ran answers the question that decides whether a call with effects may be sent again.
type Ran string

// The answers. Everything that is not provably NotRun is MaybeRun.
const (
	NotRun   Ran = "not_run"
	MaybeRun Ran = "maybe_run"
)

// Stage is how far a request came.
type Stage string

// The stages, in order.
const (
	StageStart     Stage = "start"     // the child did not start, the address did not answer, the pool is full
	StageHandshake Stage = "handshake" // connected, but no session came of it
	StageSend      Stage = "send"      // a session, but the request never left
	StageAnswer    Stage = "answer"    // sent; no answer came, or not a whole one
	StageResult    Stage = "result"    // the server answered with an error or something we cannot use
)

// Causes that callers tell apart with errors.Is.
var (
	// ErrTooLarge is a message over MaxMessage. The session that carried it is closed.
	ErrTooLarge = errors.New("message larger than 10 MiB")
	// ErrInputRequired is a server that needs something before it goes on that we never offered (SEP-2322): a
	// model's answer, or folders.
	ErrInputRequired = errors.New("the server asks for something that is not offered")
	// ErrOutput is a result whose structured content does not fit the tool's output schema.
	ErrOutput = errors.New("the structured result does not fit the tool's output schema")
	// ErrTaskFailed is a task that the server's own error ended. Every other error of a question about a task says
	// nothing of the task: it may still be at work.
	ErrTaskFailed = errors.New("the task failed")
	// ErrTaskGone is a task that the server does not know, or no longer.
	ErrTaskGone = errors.New("the server does not know this task")
	// ErrKeptBack is a call that its own Before did not let go.
	ErrKeptBack = errors.New("the caller kept the request back")
	// ErrElsewhere is a server that redirects us to another origin with what was meant for it alone.
	ErrElsewhere = errors.New("the server redirects to another origin what is meant for it alone")
	// ErrFull means that every session of the pool is in use.
	ErrFull = errors.New("too many sessions in use")
	// ErrClosed means that the pool is shutting down.
	ErrClosed = errors.New("the pool is closed")

	errUnclear = errors.New("the message says something twice")
)

// Error is every failure of this package. Its text and Stderr are for logs and for the server's owner: they
// may hold addresses, paths and whatever the child wrote. Redact before showing.
type Error struct {
	Op         string // call, tools, task or ping
	Server     string // Target.Name
	Ran        Ran
	Stage      Stage
	Status     int           // HTTP status of the last answer, 0 if none
	Fault      bool          // the server answered with a JSON-RPC error
	Code       int64         // of that error; servers are free to choose 0
	RetryAfter time.Duration // from a 429 or 503, 0 if it gave none
	Challenge  []string      // WWW-Authenticate of a 401 or 403 (RFC 9728, RFC 6750)
	Stderr     []string      // the last lines a child wrote, oldest first
	Err        error
}

// Error is for logs.
func (e *Error) Error() string {
	msg := fmt.Sprintf("mcp %s on %s failed at %s", e.Op, e.Server, e.Stage)
	if e.Status != 0 {
		msg += fmt.Sprintf(" (HTTP %d)", e.Status)
	}
	msg += fmt.Sprintf(": %v", e.Err)
	if n := len(e.Stderr); n > 0 {
		msg += "; stderr: " + e.Stderr[n-1]
	}
	return msg
}

// Unwrap returns the cause: context.DeadlineExceeded, io.EOF, one of the Err values, a *jsonrpc.Error.
func (e *Error) Unwrap() error { return e.Err }
