package mcp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"steward/internal/auth"
	"steward/internal/fault"
)

// Paths at which Handler is to be mounted.
const (
	Path         = "/mcp"           // streamable HTTP
	PathSSE      = "/mcp/"          // HTTP+SSE: the stream
	PathMessages = "/mcp/messages/" // HTTP+SSE: messages to it
)

// modern is the first revision without a handshake and sessions. The SDK serves it and the older ones with handlers of
// different kinds; a request says which it means in a header that the older ones send too, once they have agreed.
const modern = "2026-07-28"

const (
	headerVersion = "Mcp-Protocol-Version"
	headerSession = "Mcp-Session-Id"
)

const (
	idleTime    = 30 * time.Minute // after which a session of an older revision ends
	replayBytes = 16 << 20         // kept of all streams of older revisions together, for readers that were cut off
)

// Handler serves a Server over HTTP.
type Handler struct {
	server  *Server
	edge    Edge
	closing <-chan struct{}

	answers  http.Handler // from 2026-07-28 on, where the answer is all that there is to send
	events   http.Handler // from 2026-07-28 on
	stateful http.Handler // before
	sse      *sseServer
}

// NewHandler serves s; streams end when closing is closed.
func NewHandler(s *Server, edge Edge, closing <-chan struct{}) (*Handler, error) {
	if s == nil || edge == nil || closing == nil {
		return nil, errors.New("mcp: a handler needs a server, an edge and a sign of the end")
	}
	one := func(*http.Request) *sdk.Server { return s.sdk }
	events := sdk.NewMemoryEventStore(nil)
	events.SetMaxBytes(replayBytes)
	// The edge has checked hosts and origins and bounded the body.
	stateless := func(plain bool) http.Handler {
		return sdk.NewStreamableHTTPHandler(one, &sdk.StreamableHTTPOptions{
			Stateless: true, PropagateRequestCancellation: true, DisableLocalhostProtection: true, MaxRequestBodyBytes: -1, JSONResponse: plain,
		})
	}
	return &Handler{
		server: s, edge: edge, closing: closing, answers: stateless(true), events: stateless(false),
		stateful: sdk.NewStreamableHTTPHandler(one, &sdk.StreamableHTTPOptions{
			SessionTimeout: idleTime, EventStore: events, DisableLocalhostProtection: true, MaxRequestBodyBytes: -1,
		}),
		sse: newSSE(s.sdk),
	}, nil
}

// ServeHTTP authenticates, and then lets the revision of the request decide.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p, err := h.edge.Admit(w, r)
	if err != nil {
		h.edge.Refuse(w, r, err, auth.RunsRead) // the least with which anything of interest can be done
		return
	}
	w.Header().Set("X-Accel-Buffering", "no") // proxies of nginx's kind pass events on at once
	switch r.Method {
	case http.MethodPost:
		h.post(w, r, p)
	case http.MethodGet:
		h.listen(w, r, p)
	case http.MethodDelete:
		if h.own(w, r, p) {
			hand(h.stateful, w, r, p)
		}
	default:
		w.Header().Set("Allow", "GET, POST, DELETE")
		w.WriteHeader(http.StatusMethodNotAllowed)
	}
}

// post takes one message.
func (h *Handler) post(w http.ResponseWriter, r *http.Request, p auth.Principal) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		h.edge.Refuse(w, r, fmt.Errorf("read request body: %w", err), "")
		return
	}
	m, wrong := parse(body)
	if wrong == nil && !old(r) {
		wrong = m.misrouted(r.Header)
	}
	if wrong != nil {
		wrong.answer(w, m.id)
		return
	}
	if scope := h.server.needed(m); scope != "" {
		if err := h.edge.Allow(w, r, p, scope); err != nil {
			h.edge.Refuse(w, r, err, scope)
			return
		}
	}
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	switch {
	case r.URL.Path != Path:
		h.sse.post(h.edge, w, r, p, body)
	case !old(r) && m.method == methodListen:
		h.stream(h.events, w, r, p)
	case !old(r) && m.events:
		hand(h.events, newLine(w), r, p)
	case !old(r):
		hand(h.answers, newLine(w), r, p)
	case h.own(w, r, p):
		hand(h.stateful, newLine(w), r, p)
	}
}

// listen opens a stream: that of a session, or, for who has none, a session over HTTP+SSE.
func (h *Handler) listen(w http.ResponseWriter, r *http.Request, p auth.Principal) {
	switch {
	case r.URL.Path == PathSSE || r.Header.Get(headerSession) == "" && old(r) && acceptsEvents(r):
		h.stream(h.sse, w, r, p)
	case !old(r):
		w.Header().Set("Allow", http.MethodPost)
		w.WriteHeader(http.StatusMethodNotAllowed)
	case h.own(w, r, p):
		h.stream(h.stateful, w, r, p)
	}
}

// own reports whether a request that names a session names one of the caller's; otherwise it is answered.
func (h *Handler) own(w http.ResponseWriter, r *http.Request, p auth.Principal) bool {
	id := r.Header.Get(headerSession)
	if id == "" || h.server.sessions.has(id, p) {
		return true
	}
	h.edge.Refuse(w, r, errNoSession, "")
	return false
}

// errNoSession is the one answer for sessions that are over, were never there, or belong to somebody else.
var errNoSession = fault.New(fault.NotFound, "no such session")

// stream serves what may last: in one of the caller's places, until we shut down or the credential ends.
func (h *Handler) stream(next http.Handler, w http.ResponseWriter, r *http.Request, p auth.Principal) {
	leave, err := h.edge.Enter(p.Owner)
	if err != nil {
		h.edge.Refuse(w, r, err, "")
		return
	}
	defer leave()
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	if !p.Expires.IsZero() {
		ctx, cancel = context.WithDeadline(ctx, p.Expires)
		defer cancel()
	}
	line := newLine(w)
	go line.keep(ctx, cancel, h.closing)
	hand(next, line, r.WithContext(ctx), p)
	line.end()
}

// old reports whether a request is of a revision with sessions.
func old(r *http.Request) bool { return r.Header.Get(headerVersion) < modern }

func acceptsEvents(r *http.Request) bool {
	return slices.ContainsFunc(r.Header.Values("Accept"), func(v string) bool { return strings.Contains(strings.ToLower(v), "text/event-stream") })
}
