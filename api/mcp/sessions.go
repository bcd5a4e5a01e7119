package mcp

import (
	"context"
	"sync"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"steward/internal/auth"
)

// mostSessions is how many sessions of older revisions one caller may have. Many clients never end theirs, and each
// costs memory until it has been idle for long (T-40): one more ends the one that was idle longest, whose client opens
// another when it comes back.
const mostSessions = 50

// sessions remembers whose each session of an older revision is. The SDK answers another user with 403, which tells
// that the session exists; here it does not.
type sessions struct {
	mu    sync.Mutex
	known map[string]*session // by their ids
}

type session struct {
	*sdk.ServerSession

	owner string // identity
	busy  int    // requests under way
	used  time.Time
}

func newSessions() *sessions { return &sessions{known: map[string]*session{}} }

// has reports whether id is a session of p's.
func (s *sessions) has(id string, p auth.Principal) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := s.known[id]
	return found != nil && found.owner == identity(p)
}

// bind takes note of a session before its id is told to anybody, of its use, and forgets it when it ends.
func (s *sessions) bind(next sdk.MethodHandler) sdk.MethodHandler {
	return func(ctx context.Context, method string, r sdk.Request) (sdk.Result, error) {
		opened, ok := r.GetSession().(*sdk.ServerSession)
		extra := r.GetExtra()
		if !ok || opened.ID() == "" || extra == nil || extra.TokenInfo == nil {
			return next(ctx, method, r)
		}
		id := opened.ID()
		if method == "initialize" && !s.open(opened, extra.TokenInfo.UserID) {
			return nil, errSessions
		}
		defer s.use(id)()
		return next(ctx, method, r)
	}
}

// errSessions is for a caller all of whose sessions are at work.
var errSessions = &jsonrpc.Error{Code: jsonrpc.CodeInvalidRequest, Message: "too many sessions of yours are at work: end one first"}

// open takes note of a session; false if its owner has too many and none of them is idle.
func (s *sessions) open(opened *sdk.ServerSession, owner string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := opened.ID()
	if s.known[id] != nil {
		return true
	}
	if !s.room(owner) {
		return false
	}
	s.known[id] = &session{ServerSession: opened, owner: owner, used: time.Now()}
	go func() {
		_ = opened.Wait() // however it ends
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.known, id)
	}()
	return true
}

// room makes place for one more session of owner's.
func (s *sessions) room(owner string) bool {
	count := 0
	var idle *session
	for _, other := range s.known {
		if other.owner != owner {
			continue
		}
		count++
		if other.busy == 0 && (idle == nil || other.used.Before(idle.used)) {
			idle = other
		}
	}
	if count < mostSessions {
		return true
	}
	if idle == nil {
		return false
	}
	delete(s.known, idle.ID()) // from now on nothing finds it
	go func() { _ = idle.Close() }()
	return true
}

// use takes note of a request; it is called again when that is answered.
func (s *sessions) use(id string) (done func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := s.known[id]
	if found == nil {
		return func() {}
	}
	found.busy++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		found.busy--
		found.used = time.Now()
	}
}
