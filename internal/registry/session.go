package registry

import (
	"context"
	"errors"
	"fmt"
	"time"

	"steward/internal/mcpclient"
	"steward/internal/store"
)

// sessionTime bounds what is said to the database about sessions beside the requests that need them.
const sessionTime = 5 * time.Second

// sessions keeps the sessions of older HTTP servers in the database, sealed for their owner: another process, or this
// one after a restart, goes on with them. It implements mcpclient.SessionStore.
type sessions struct {
	r     *Registry
	holds *holds
}

// Take implements mcpclient.SessionStore. What was kept for other settings of the server is not found.
func (s sessions) Take(ctx context.Context, k mcpclient.Key) (int64, []byte, error) {
	ids, err := s.r.db.ListServerSessions(ctx, store.ListServerSessionsParams{Owner: k.Owner, ServerID: k.Server, Version: k.Version})
	if err != nil {
		return 0, nil, fmt.Errorf("list MCP sessions: %w", err)
	}
	for _, id := range ids {
		held, err := s.holds.take(ctx, id)
		if err != nil {
			return 0, nil, err
		}
		if !held {
			continue
		}
		session, err := s.open(ctx, k, id)
		if session != nil {
			return int64(id), session, nil
		}
		s.holds.leave(ctx, id)
		if err != nil {
			return 0, nil, err
		}
	}
	return 0, nil, nil
}

// open reads a session that is held; nil if it was deleted meanwhile.
func (s sessions) open(ctx context.Context, k mcpclient.Key, id int32) ([]byte, error) {
	sealed, err := s.r.db.GetServerSession(ctx, id)
	if store.IsNoRows(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read MCP session: %w", err)
	}
	return s.r.ring.Open(sessionBinding(k.Owner, k.Server), sealed)
}

// Save implements mcpclient.SessionStore.
func (s sessions) Save(ctx context.Context, k mcpclient.Key, session []byte) (int64, error) {
	sealed, err := s.r.ring.Seal(sessionBinding(k.Owner, k.Server), session)
	if err != nil {
		return 0, err
	}
	var id int32
	err = s.r.db.Tx(ctx, func(q *store.Queries) error { // others see it when it is held
		if id, err = q.AddServerSession(ctx, store.AddServerSessionParams{Owner: k.Owner, ServerID: k.Server, Version: k.Version, SessionSealed: sealed}); err != nil {
			return fmt.Errorf("store MCP session: %w", err)
		}
		held, err := s.holds.take(ctx, id)
		if err == nil && !held {
			err = errors.New("store MCP session: somebody has it already")
		}
		return err
	})
	if err != nil {
		s.holds.leave(ctx, id)
		return 0, err
	}
	return int64(id), nil
}

// Leave implements mcpclient.SessionStore.
func (s sessions) Leave(ctx context.Context, id int64) error {
	ctx, cancel := context.WithTimeout(ctx, sessionTime)
	defer cancel()
	defer s.holds.leave(ctx, int32(id))                               //nolint:gosec // it was one
	if err := s.r.db.TouchServerSession(ctx, int32(id)); err != nil { //nolint:gosec // likewise
		return fmt.Errorf("leave MCP session: %w", err)
	}
	return nil
}

// Delete implements mcpclient.SessionStore.
func (s sessions) Delete(ctx context.Context, id int64) error {
	ctx, cancel := context.WithTimeout(ctx, sessionTime)
	defer cancel()
	if err := s.r.db.DeleteServerSession(ctx, int32(id)); err != nil { //nolint:gosec // it was one
		return fmt.Errorf("delete MCP session: %w", err)
	}
	return nil
}
