package mcpclient

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"steward/internal/launch/process"
)

const (
	// dialTimeout bounds opening a session, both eras together. Node servers take 0.3 s on an idle machine.
	dialTimeout = 30 * time.Second
	// probeTimeout bounds server/discover. Servers older than it may ignore it (then nothing ever comes). One that is
	// known to answer gets more: taken for an older one it would be used as one until the next session.
	probeTimeout = 3 * time.Second
	knownTimeout = dialTimeout / 2

	legacyVersion    = "2025-11-25"
	firstModern      = "2026-07-28"
	methodDiscover   = "server/discover"
	methodInitialize = "initialize"
)

var errSilentProbe = errors.New("no answer to server/discover")

// dialer opens sessions.
type dialer struct {
	children context.Context // they die with it
	log      *slog.Logger
	sessions SessionStore // may be nil
}

// handshake is one way to open a session.
type handshake struct {
	wire    Wire          // of an HTTP target
	version string        // of the protocol, to begin with; empty: the newest
	saved   *savedSession // to go on with
}

// dial opens a session: the one that is kept, or else over the wire that the target is known for, if any, and then
// over the other one.
func (d *dialer) dial(ctx context.Context, t Target, noise *ring) (*session, *Error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	if saved := d.load(ctx, t); saved != nil {
		s, err := d.resume(ctx, t, noise, saved)
		if err == nil {
			return s, nil
		}
		after := context.WithoutCancel(ctx)
		if err.gone() {
			d.forget(after, t.Key, saved.kept)
		}
		d.leave(after, t.Key, saved.kept)
		if !err.gone() {
			return nil, err
		}
	}
	first, second, other := d.streamable, d.sse, (*Error).olderWire
	if t.Wire == WireSSE {
		first, second, other = d.sse, d.streamable, (*Error).otherEra
	}
	s, err := first(ctx, t, noise)
	if err == nil || t.HTTP == nil || !other(err) {
		return s, err
	}
	if s, err2 := second(ctx, t, noise); err2 == nil {
		return s, nil
	}
	return nil, err
}

// streamable opens a session with a child or over streamable HTTP, in the era the target is known for if any. A
// server that does not answer the other era's first message, or exits on it, gets a fresh connection and the older
// handshake.
func (d *dialer) streamable(ctx context.Context, t Target, noise *ring) (*session, *Error) {
	first, second := handshake{wire: WireStreamable}, handshake{wire: WireStreamable, version: legacyVersion}
	if t.Era == EraLegacy {
		first, second = second, first
	}
	s, err := d.connect(ctx, t, noise, first)
	if err == nil || !err.otherEra() || first.version == "" && err.olderWire() { // the SDK has tried both on one connection
		return s, err
	}
	if s, err2 := d.connect(ctx, t, noise, second); err2 == nil || err2.Stage == StageHandshake {
		return s, err2
	}
	return nil, err
}

// sse opens a session over the transport that came before, which knows only the older handshake.
func (d *dialer) sse(ctx context.Context, t Target, noise *ring) (*session, *Error) {
	return d.connect(ctx, t, noise, handshake{wire: WireSSE, version: legacyVersion})
}

// otherEra reports whether the other handshake may help: the server was reached and did not refuse us for
// another reason.
func (e *Error) otherEra() bool {
	switch e.Status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusTooManyRequests:
		return false
	}
	return e.Stage == StageHandshake && e.Status < 500
}

// olderWire reports whether the server may know only the transport of 2024-11-05: it refuses to be posted to, and
// not in the words of JSON-RPC (2026-07-28, basic/transports, "Backwards Compatibility").
func (e *Error) olderWire() bool {
	switch e.Status {
	case http.StatusBadRequest, http.StatusNotFound, http.StatusMethodNotAllowed:
		return e.Stage == StageHandshake && !e.Fault
	}
	return false
}

// connect makes one attempt on a connection of its own.
func (d *dialer) connect(ctx context.Context, t Target, noise *ring, how handshake) (*session, *Error) {
	s := &session{
		key: t.Key, name: t.Name, log: d.log, tools: newToolList(), floor: newFloor(),
		done: make(chan struct{}), unused: make(chan struct{}),
	}
	fail := func(stage Stage, w *wire, err error) *Error {
		e := s.failure("dial", w, err)
		e.Ran, e.Stage = NotRun, stage
		return e
	}
	if t.Stdio != nil && t.Stdio.Before != nil {
		if err := t.Stdio.Before(ctx); err != nil {
			return nil, fail(StageStart, nil, err)
		}
	}
	transport, err := d.transport(t, s, noise, how)
	if err != nil {
		e := fail(StageStart, nil, err)
		e.Stderr = noise.tail()
		return nil, e
	}
	client, err := d.client(s, t.Era)
	if err != nil {
		return nil, fail(StageStart, nil, err)
	}
	shaking, w := withWire(ctx)
	s.sdk, err = client.Connect(shaking, transport, &mcp.ClientSessionOptions{ProtocolVersion: how.version})
	w.finish()
	if err != nil {
		if s.stdio != nil {
			_ = s.stdio.Close() // the SDK does not close every connection it fails to open
		}
		if s.stdio == nil && !w.sent && how.saved == nil {
			return nil, fail(StageStart, w, err)
		}
		return nil, fail(StageHandshake, w, err)
	}
	s.info, err = negotiated(s.sdk.InitializeResult())
	if err != nil {
		s.close()
		return nil, fail(StageHandshake, w, err)
	}
	if t.HTTP != nil {
		s.info.Wire = how.wire
	}
	if how.saved == nil {
		d.save(ctx, t, s)
	}
	return s, nil
}

// transport starts the child or prepares the HTTP client.
func (d *dialer) transport(t Target, s *session, noise *ring, how handshake) (mcp.Transport, error) {
	if t.Stdio != nil {
		child, err := process.Start(d.children, t.Stdio.spec(), noise)
		if err != nil {
			return nil, err
		}
		s.stdio = newStdioConn(child, noise)
		s.stdio.answers.progress = &s.progress
		return &stdioTransport{s.stdio}, nil
	}
	var err error
	if s.http, err = newRoundTripper(t.HTTP, how.wire); err != nil {
		return nil, err
	}
	var tripper http.RoundTripper = s.http
	if how.saved != nil {
		tripper = &resumption{s.http, how.saved, newNumbers()}
	}
	client := t.HTTP.client(tripper)
	if how.wire == WireSSE {
		return &sseTransport{url: s.http.origin, client: client, made: func(c *sseConn) {
			s.sse, c.answers.progress = c, &s.progress
		}}, nil
	}
	return &mcp.StreamableClientTransport{
		Endpoint: t.HTTP.URL, HTTPClient: client, MaxEventSize: MaxMessage, MaxRetries: t.HTTP.Reconnect.Retries,
	}, nil
}

// client is the SDK's half of a session. It offers servers that people can be asked, and nothing else: no sampling,
// roots or logging.
func (d *dialer) client(s *session, known Era) (*mcp.Client, error) {
	wait := probeTimeout
	if known == EraModern {
		wait = knownTimeout
	}
	client := mcp.NewClient(implementation(), &mcp.ClientOptions{
		Logger:                      d.log,
		Capabilities:                &mcp.ClientCapabilities{Elicitation: elicitation()},
		MultiRoundTrip:              &mcp.MultiRoundTripOptions{Disabled: true},
		ToolListChangedHandler:      func(context.Context, *mcp.ToolListChangedRequest) { s.tools.changed() },
		ProgressNotificationHandler: s.progress.handle,
	})
	client.AddReceivingMiddleware(s.answerRequests)
	client.AddSendingMiddleware(limitProbe(wait), withoutCache, func(next mcp.MethodHandler) mcp.MethodHandler {
		s.send = next
		return next
	})
	return client, addTaskMethods(client)
}

// limitProbe gives server/discover its time. After silence the SDK would send initialize down the same connection,
// where a server that hangs would hang again: a new connection is the safe way. After a refusal it would ask once
// more, without the credentials that are wanted, and the answer to that would hide what they are.
func limitProbe(wait time.Duration) mcp.Middleware {
	return func(next mcp.MethodHandler) mcp.MethodHandler {
		var failed error // only used while connecting, which is sequential
		return func(ctx context.Context, method string, req mcp.Request) (mcp.Result, error) {
			switch method {
			case methodDiscover:
				probe, cancel := context.WithTimeout(ctx, wait)
				defer cancel()
				res, err := next(probe, method, req)
				switch {
				case err == nil:
				case probe.Err() != nil:
					failed = errSilentProbe
				case wireOf(ctx).refused():
					failed = err
				}
				return res, err
			case methodInitialize:
				if failed != nil {
					return nil, failed
				}
			}
			return next(ctx, method, req)
		}
	}
}

func negotiated(res *mcp.InitializeResult) (Negotiated, error) {
	info, err := json.Marshal(res.ServerInfo)
	if err != nil {
		return Negotiated{}, fmt.Errorf("reading the server's name: %w", err)
	}
	era := EraLegacy
	if res.ProtocolVersion >= firstModern {
		era = EraModern
	}
	return Negotiated{Era: era, ProtocolVersion: res.ProtocolVersion, ServerInfo: info}, nil
}
