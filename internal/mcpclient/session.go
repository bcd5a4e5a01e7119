package mcpclient

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

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
	stdio    *stdioConn    // nil for HTTP
	sse      *sseConn      // nil but for that wire
	http     *roundTripper // nil for stdio
	kept     int64         // its number in Options.Sessions, 0 if that has it not
	tools    *toolList
	outputs  outputs
	floor    *floor
	progress progressTable
	done     chan struct{} // closed when the connection is gone

	// Guarded by Pool.mu.
	refs    int
	retired bool          // no new requests
	discard bool          // nobody may go on with it
	unused  chan struct{} // closed once retired and without requests
	used    time.Time
}

// request sends what send sends and returns the answer's own text. name goes into the header Mcp-Name where go-sdk
// does not know what to put there.
func (s *session) request(ctx context.Context, op, name string, send func(context.Context) error) (json.RawMessage, error) {
	ctx, w := withWire(ctx)
	w.name, w.progress = name, &s.progress
	err := send(ctx)
	answer := w.finish()
	switch {
	case answer.unclear:
		return nil, s.useless(op, errUnclear)
	case answer.result != nil: // also where the SDK could not make sense of it
		return answer.result, nil
	case err == nil:
		return nil, s.useless(op, errors.New("the answer has no result"))
	default:
		return nil, s.failure(op, w, err)
	}
}

// meta is the _meta of a request. Tasks are declared only where the caller can follow one (SEP-2663); the rest is
// declared by go-sdk, to older servers once in the handshake.
func (s *session) meta(tasks bool) mcp.Meta {
	if !tasks || s.info.Era == EraLegacy {
		return mcp.Meta{}
	}
	return mcp.Meta{mcp.MetaKeyClientCapabilities: map[string]any{
		"elicitation": elicitation(), "extensions": map[string]any{tasksExtension: struct{}{}},
	}}
}

// elicitation is all that we offer to servers: people can be asked, by form and by URL.
func elicitation() *mcp.ElicitationCapabilities {
	return &mcp.ElicitationCapabilities{Form: &mcp.FormElicitationCapabilities{}, URL: &mcp.URLElicitationCapabilities{}}
}

// ping asks for a sign of life. 2026-07-28 removed ping; there server/discover is the cheapest question.
func (s *session) ping(ctx context.Context) error {
	_, err := s.request(ctx, "ping", "", func(ctx context.Context) error {
		if s.info.Era == EraLegacy {
			return s.sdk.Ping(ctx, nil)
		}
		_, err := s.send(ctx, methodDiscover, &mcp.DiscoverRequest{
			Session: s.sdk,
			Params: &mcp.DiscoverParams{Meta: mcp.Meta{
				mcp.MetaKeyProtocolVersion:    s.info.ProtocolVersion,
				mcp.MetaKeyClientInfo:         implementation(),
				mcp.MetaKeyClientCapabilities: map[string]any{"elicitation": elicitation()},
			}},
		})
		return err
	})
	return err
}

// failure classifies what the SDK returned, by the wire and never by the error's text. w is nil when the
// request was not even tried.
func (s *session) failure(op string, w *wire, err error) *Error {
	e := &Error{Op: op, Server: s.name, Ran: MaybeRun, Stage: StageAnswer, Err: err}
	if w == nil || !w.sent {
		e.Ran, e.Stage = NotRun, StageSend
	}
	if w != nil {
		e.Status, e.RetryAfter, e.Challenge = w.status, w.retryAfter, w.challenge
	}
	if w != nil && w.answer.fault != nil {
		e.Stage, e.Fault, e.Code, e.Err = StageResult, true, w.answer.fault.Code, w.answer.fault
	}
	switch {
	case e.Status == http.StatusUnauthorized, e.Status == http.StatusTooManyRequests,
		e.Status == http.StatusNotFound && w.hadSession:
		e.Ran = NotRun // refused before anything looked at the call
	case w != nil && w.tooLarge:
		e.Err = ErrTooLarge
	}
	switch {
	case s.stdio != nil:
		s.addLastWords(e)
	case s.sse != nil && e.Stage != StageResult && !expired(e.Err):
		if cause := s.sse.cause(); cause != nil {
			e.Err = cause
		}
	}
	return e
}

// addLastWords replaces the SDK's word for a broken pipe by the reason and adds the child's stderr.
func (s *session) addLastWords(e *Error) {
	if e.Stage != StageResult && !expired(e.Err) {
		s.stdio.child.WaitForWords(drainWait)
		if cause := s.stdio.cause(); cause != nil {
			e.Err = cause
		}
	}
	e.Stderr = s.stdio.log.tail()
}

// useless is an answer that cannot be used.
func (s *session) useless(op string, err error) *Error {
	return &Error{Op: op, Server: s.name, Ran: MaybeRun, Stage: StageResult, Err: err}
}

// brokenBy reports whether the session must not be used again. go-sdk fails a connection at the first 400, 401, 403
// or 404 that is not in the words of JSON-RPC, and for anything it cannot read. An older server that forgot a session
// may well say so in those words; since 2026-07-28 there is nothing to forget.
func (s *session) brokenBy(e *Error) bool {
	switch {
	case e.Status == http.StatusBadRequest, e.Status == http.StatusNotFound:
		return !e.Fault || s.info.Era == EraLegacy
	case e.Status == http.StatusUnauthorized, e.Status == http.StatusForbidden:
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
		s.stdio.child.Close()
		<-s.stdio.child.Exited()
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
