package mcp

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"sync"

	sdkauth "github.com/modelcontextprotocol/go-sdk/auth"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"steward/internal/auth"
)

// sseServer is HTTP+SSE, the transport of 2024-11-05: one GET stays open and carries everything to the client, whose
// messages come as POSTs. The SDK has it too, but takes messages of anybody who knows a session's id, and does not
// tell the handlers who sent them.
type sseServer struct {
	server   *sdk.Server
	sessions sync.Map // id -> *sseSession
}

func newSSE(s *sdk.Server) *sseServer { return &sseServer{server: s} }

// ServeHTTP opens a session, which lasts as long as the request.
func (s *sseServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	token := sdkauth.TokenInfoFromContext(r.Context())
	id := rand.Text()
	session := &sseSession{owner: token.UserID, in: make(chan jsonrpc.Message), done: make(chan struct{}), w: w}
	s.sessions.Store(id, session)
	defer s.sessions.Delete(id)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-cache, no-transform")
	if session.event("endpoint", []byte(PathMessages+"?session_id="+id)) != nil {
		return
	}
	connected, err := s.server.Connect(r.Context(), session, nil)
	if err != nil {
		return
	}
	defer func() { _ = connected.Close() }() // it has nothing left to say
	select {
	case <-r.Context().Done():
	case <-session.done:
	}
}

// post passes a message on to the session it names, if that is the caller's.
func (s *sseServer) post(edge Edge, w http.ResponseWriter, r *http.Request, p auth.Principal, body []byte) {
	found, _ := s.sessions.Load(r.URL.Query().Get("session_id"))
	session, ok := found.(*sseSession)
	if !ok || session.owner != identity(p) {
		edge.Refuse(w, r, errNoSession, "")
		return
	}
	msg, err := jsonrpc.DecodeMessage(body)
	if err != nil {
		(&problem{jsonrpc.CodeInvalidRequest, "not a JSON-RPC message"}).answer(w, nil)
		return
	}
	if request, ok := msg.(*jsonrpc.Request); ok {
		request.Extra = &sdk.RequestExtra{TokenInfo: tokenOf(p)}
	}
	select {
	case session.in <- msg:
		w.WriteHeader(http.StatusAccepted)
	case <-session.done:
		edge.Refuse(w, r, errNoSession, "")
	case <-r.Context().Done():
	}
}

// sseSession is one session as the SDK's transport and connection.
type sseSession struct {
	owner string
	in    chan jsonrpc.Message
	w     http.ResponseWriter
	end   sync.Once
	done  chan struct{}
}

// Connect is called once, by the server.
func (s *sseSession) Connect(context.Context) (sdk.Connection, error) { return s, nil }

// SupportsProtocolVersion leaves out the revisions that know no such transport.
func (s *sseSession) SupportsProtocolVersion(version string) bool { return version < modern }

// SessionID is not said: the id stands in the endpoint's address.
func (s *sseSession) SessionID() string { return "" }

// Read waits for the next message.
func (s *sseSession) Read(ctx context.Context) (jsonrpc.Message, error) {
	select {
	case msg := <-s.in:
		return msg, nil
	case <-s.done:
		return nil, io.EOF
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Write sends a message as an event.
func (s *sseSession) Write(_ context.Context, msg jsonrpc.Message) error {
	select {
	case <-s.done:
		return io.EOF
	default:
	}
	data, err := jsonrpc.EncodeMessage(msg)
	if err != nil {
		return fmt.Errorf("encode message: %w", err)
	}
	return s.event("message", data)
}

// event writes one event in one piece: the line below lets no other write come between.
func (s *sseSession) event(name string, data []byte) error {
	if _, err := fmt.Fprintf(s.w, "event: %s\ndata: %s\n\n", name, data); err != nil {
		return fmt.Errorf("write event: %w", err)
	}
	return http.NewResponseController(s.w).Flush()
}

// Close ends the session, and the request that carries it.
func (s *sseSession) Close() error {
	s.end.Do(func() { close(s.done) })
	return nil
}
