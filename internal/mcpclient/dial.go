package mcpclient

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

const (
	// dialTimeout bounds opening a session, both eras together. Node servers take 0.3 s on an idle machine.
	dialTimeout = 30 * time.Second
	// probeTimeout bounds server/discover. Servers older than it may ignore it (then nothing ever comes).
	probeTimeout = 3 * time.Second

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
}

// dial opens a session, in the era the target is known for if any. A server that does not answer the other
// era's first message, or exits on it, gets a fresh connection and the older handshake.
func (d *dialer) dial(ctx context.Context, t Target, noise *ring) (*session, *Error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	first, second := d.modern, d.legacy
	if t.Era == EraLegacy {
		first, second = second, first
	}
	s, err := first(ctx, t, noise)
	if err == nil || !err.otherEra() {
		return s, err
	}
	if s, err2 := second(ctx, t, noise); err2 == nil || err2.Stage == StageHandshake {
		return s, err2
	}
	return nil, err
}

func (d *dialer) modern(ctx context.Context, t Target, noise *ring) (*session, *Error) {
	return d.connect(ctx, t, noise, nil)
}

func (d *dialer) legacy(ctx context.Context, t Target, noise *ring) (*session, *Error) {
	return d.connect(ctx, t, noise, &mcp.ClientSessionOptions{ProtocolVersion: legacyVersion})
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

// connect makes one attempt on a connection of its own.
func (d *dialer) connect(ctx context.Context, t Target, noise *ring, opts *mcp.ClientSessionOptions) (*session, *Error) {
	s := &session{
		key: t.Key, name: t.Name, log: d.log, tools: newToolList(),
		done: make(chan struct{}), unused: make(chan struct{}),
	}
	fail := func(stage Stage, w *wire, err error) *Error {
		e := s.failure("dial", w, err)
		e.Ran, e.Stage = NotRun, stage
		return e
	}
	transport, err := d.transport(t, s, noise)
	if err != nil {
		e := fail(StageStart, nil, err)
		e.Stderr = noise.tail()
		return nil, e
	}
	ctx, w := withWire(ctx)
	s.sdk, err = d.client(s).Connect(ctx, transport, opts)
	w.finish()
	if err != nil {
		if s.stdio != nil {
			_ = s.stdio.Close() // the SDK does not close every connection it fails to open
		}
		if s.stdio == nil && !w.sent {
			return nil, fail(StageStart, w, err)
		}
		return nil, fail(StageHandshake, w, err)
	}
	s.info, err = negotiated(s.sdk.InitializeResult())
	if err != nil {
		s.close()
		return nil, fail(StageHandshake, w, err)
	}
	return s, nil
}

// transport starts the child or prepares the HTTP client.
func (d *dialer) transport(t Target, s *session, noise *ring) (mcp.Transport, error) {
	if t.Stdio != nil {
		proc, err := startProcess(d.children, t.Stdio, noise)
		if err != nil {
			return nil, err
		}
		s.stdio = newStdioConn(proc)
		return &stdioTransport{s.stdio}, nil
	}
	client, err := httpClient(t.HTTP)
	if err != nil {
		return nil, fmt.Errorf("reading the server's URL: %w", err)
	}
	return &mcp.StreamableClientTransport{Endpoint: t.HTTP.URL, HTTPClient: client, MaxEventSize: MaxMessage}, nil
}

// client is the SDK's half of a session. It offers servers nothing: no sampling, roots, logging or
// elicitation.
func (d *dialer) client(s *session) *mcp.Client {
	client := mcp.NewClient(implementation(), &mcp.ClientOptions{
		Logger:                      d.log,
		Capabilities:                &mcp.ClientCapabilities{},
		MultiRoundTrip:              &mcp.MultiRoundTripOptions{Disabled: true},
		ToolListChangedHandler:      func(context.Context, *mcp.ToolListChangedRequest) { s.tools.changed() },
		ProgressNotificationHandler: s.progress.handle,
	})
	client.AddReceivingMiddleware(refuseRequests)
	client.AddSendingMiddleware(limitProbe, func(next mcp.MethodHandler) mcp.MethodHandler {
		s.send = next
		return next
	})
	return client
}

// limitProbe gives server/discover its time. After silence the SDK would send initialize down the same
// connection, where a server that hangs would hang again: a new connection is the safe way.
func limitProbe(next mcp.MethodHandler) mcp.MethodHandler {
	silent := false // only used while connecting, which is sequential
	return func(ctx context.Context, method string, req mcp.Request) (mcp.Result, error) {
		switch method {
		case methodDiscover:
			probe, cancel := context.WithTimeout(ctx, probeTimeout)
			defer cancel()
			res, err := next(probe, method, req)
			silent = err != nil && probe.Err() != nil
			return res, err
		case methodInitialize:
			if silent {
				return nil, errSilentProbe
			}
		}
		return next(ctx, method, req)
	}
}

// refuseRequests answers what a server asks of us, ping apart. The SDK would list our (empty) roots even
// though we never offered any.
func refuseRequests(next mcp.MethodHandler) mcp.MethodHandler {
	return func(ctx context.Context, method string, req mcp.Request) (mcp.Result, error) {
		switch method {
		case "roots/list", "sampling/createMessage", "elicitation/create":
			return nil, &jsonrpc.Error{Code: jsonrpc.CodeMethodNotFound, Message: method + " is not offered"}
		}
		return next(ctx, method, req)
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
