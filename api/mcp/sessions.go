package mcp

import (
	"context"
	"sync"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"steward/internal/auth"
)

// sessions remembers whose each session of an older revision is. The SDK answers another user with 403, which tells
// that the session exists; here it does not.
type sessions struct{ owners sync.Map } // session id -> identity

func newSessions() *sessions { return &sessions{} }

// has reports whether id is a session of p's.
func (s *sessions) has(id string, p auth.Principal) bool {
	owner, known := s.owners.Load(id)
	return known && owner == identity(p)
}

// bind takes note of a session before its id is told to anybody, and forgets it when it ends.
func (s *sessions) bind(next sdk.MethodHandler) sdk.MethodHandler {
	return func(ctx context.Context, method string, r sdk.Request) (sdk.Result, error) {
		session, ok := r.GetSession().(*sdk.ServerSession)
		extra := r.GetExtra()
		if method != "initialize" || !ok || session.ID() == "" || extra == nil || extra.TokenInfo == nil {
			return next(ctx, method, r)
		}
		id := session.ID()
		if _, known := s.owners.LoadOrStore(id, extra.TokenInfo.UserID); !known {
			go func() {
				_ = session.Wait() // however it ends
				s.owners.Delete(id)
			}()
		}
		return next(ctx, method, r)
	}
}
