package mcpclient

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// CallKeyMeta is the key of tools/call's _meta that carries Call.CallKey, so that a server can tell a
// repeated call from a new one.
const CallKeyMeta = "dev.steward/call-key"

// drainWait is how long a failure waits for the child's last words.
const drainWait = 200 * time.Millisecond

// session is one open connection to a server. Its methods may be used concurrently.
type session struct {
	key      Key
	name     string
	log      *slog.Logger
	sdk      *mcp.ClientSession
	send     mcp.MethodHandler // below go-sdk's caches and checks
	info     Negotiated
	stdio    *stdioConn // nil for HTTP
	tools    *toolList
	progress progressTable
	done     chan struct{} // closed when the connection is gone

	// Guarded by Pool.mu.
	refs    int
	retired bool          // no new requests
	unused  chan struct{} // closed once retired and without requests
	used    time.Time
}

// Call is one use of a tool.
type Call struct {
	Tool      string
	Arguments json.RawMessage // a JSON object; empty means {}
	CallKey   string          // sent along if not empty
	Progress  func(Progress)  // called one at a time, never after Call returned; nil if not wanted
	// Before is asked when a session is open, right before the request leaves; its error keeps the request
	// back (ErrKeptBack). Opening a session takes its time: what held before may not hold any more.
	Before func(context.Context) error

	Given *Given // answers to what the server needed in an earlier round
	// Ask answers a question that comes in mid-call; nil: the server is told that nobody answers.
	Ask func(context.Context, Question) (Answer, error)
	// Tasks says that the server may answer with a Task.
	Tasks bool
	// OutputSchema is what structured content must fit; nil: anything.
	OutputSchema json.RawMessage
}

func (s *session) call(ctx context.Context, c Call) (*Result, error) {
	params := &mcp.CallToolParams{Name: c.Tool, Meta: mcp.Meta{}}
	if len(c.Arguments) > 0 {
		params.Arguments = c.Arguments
	}
	if c.CallKey != "" {
		params.Meta[CallKeyMeta] = c.CallKey
	}
	if c.Progress != nil {
		token, stop := s.progress.watch(c.Progress)
		defer stop()
		params.Meta["progressToken"] = token
	}
	if c.Before != nil {
		if err := c.Before(ctx); err != nil {
			return nil, &Error{Op: "call", Server: s.name, Ran: NotRun, Stage: StageSend, Err: fmt.Errorf("%w: %w", ErrKeptBack, err)}
		}
	}
	ctx, w := withWire(ctx)
	_, err := s.sdk.CallTool(ctx, params)
	answer := w.finish()
	switch {
	case answer.result != nil: // also where the SDK could not make sense of it
		res, err := parseResult(answer.result)
		if err != nil {
			return nil, s.useless("call", w, err)
		}
		return res, nil
	case err == nil:
		return nil, s.useless("call", w, errors.New("the answer has no result"))
	default:
		return nil, s.failure("call", w, err)
	}
}

// ping asks for a sign of life. 2026-07-28 removed ping; there server/discover is the cheapest question.
func (s *session) ping(ctx context.Context) error {
	ctx, w := withWire(ctx)
	var err error
	if s.info.Era == EraLegacy {
		err = s.sdk.Ping(ctx, nil)
	} else {
		_, err = s.send(ctx, methodDiscover, &mcp.DiscoverRequest{
			Session: s.sdk,
			Params: &mcp.DiscoverParams{Meta: mcp.Meta{
				mcp.MetaKeyProtocolVersion:    s.info.ProtocolVersion,
				mcp.MetaKeyClientInfo:         implementation(),
				mcp.MetaKeyClientCapabilities: &mcp.ClientCapabilities{},
			}},
		})
	}
	w.finish()
	if err != nil {
		return s.failure("ping", w, err)
	}
	return nil
}

// failure classifies what the SDK returned, by the wire and never by the error's text. w is nil when the
// request was not even tried.
func (s *session) failure(op string, w *wire, err error) *Error {
	e := &Error{Op: op, Server: s.name, Ran: MaybeRun, Stage: StageAnswer, Err: err}
	if w == nil || !w.sent {
		e.Ran, e.Stage = NotRun, StageSend
	}
	if w != nil {
		e.Status, e.RetryAfter = w.status, w.retryAfter
	}
	if w != nil && w.answer.fault != nil {
		e.Stage, e.Code, e.Err = StageResult, w.answer.fault.Code, w.answer.fault
	}
	switch {
	case e.Status == http.StatusUnauthorized, e.Status == http.StatusTooManyRequests,
		e.Status == http.StatusNotFound && w.hadSession:
		e.Ran = NotRun // refused before anything looked at the call
	case w != nil && w.tooLarge:
		e.Err = ErrTooLarge
	}
	if s.stdio != nil {
		s.addLastWords(e)
	}
	return e
}

// addLastWords replaces the SDK's word for a broken pipe by the reason and adds the child's stderr.
func (s *session) addLastWords(e *Error) {
	if e.Stage != StageResult && !expired(e.Err) {
		s.stdio.proc.waitForWords(drainWait)
		if cause := s.stdio.cause(); cause != nil {
			e.Err = cause
		}
	}
	e.Stderr = s.stdio.proc.log.tail()
}

// useless is an answer that cannot be used.
func (s *session) useless(op string, w *wire, err error) *Error {
	return &Error{Op: op, Server: s.name, Ran: MaybeRun, Stage: StageResult, Status: w.status, Err: err}
}

// broken reports whether the session must not be used again. go-sdk fails a connection at the first 400,
// 401, 403 or 404 and for anything it cannot read; only these are harmless.
func (e *Error) broken() bool {
	switch {
	case e.Status == http.StatusBadRequest, e.Status == http.StatusUnauthorized,
		e.Status == http.StatusForbidden, e.Status == http.StatusNotFound:
		return true
	case e.Status == http.StatusTooManyRequests, e.Status >= 500, e.Stage == StageResult, errors.Is(e.Err, ErrKeptBack):
		return false
	}
	return !expired(e.Err)
}

// alive reports whether the connection still stands.
func (s *session) alive() bool {
	select {
	case <-s.done:
		return false
	default:
		return true
	}
}

// close ends the connection and, for a child, its process; it returns when nothing is left of either.
func (s *session) close() {
	_ = s.sdk.Close()
	if s.stdio != nil {
		s.stdio.proc.close()
		<-s.stdio.proc.exited
	}
}

func expired(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}

// implementation is how we introduce ourselves.
func implementation() *mcp.Implementation {
	version := "dev"
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		version = info.Main.Version
	}
	return &mcp.Implementation{Name: "steward", Version: version}
}
