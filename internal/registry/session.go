package registry

import (
	"context"
	"fmt"

	"steward/internal/mcpclient"
	"steward/internal/store"
)

// sessions keeps the sessions of older HTTP servers in the database, sealed for their owner: another process, or this
// one after a restart, goes on with them. It implements mcpclient.SessionStore.
type sessions struct{ r *Registry }

// Load implements mcpclient.SessionStore. What was kept for other settings of the server is not found.
func (s sessions) Load(ctx context.Context, k mcpclient.Key) ([]byte, error) {
	sealed, err := s.r.db.GetServerSession(ctx, store.GetServerSessionParams{Owner: k.Owner, ServerID: k.Server, Version: k.Version})
	if store.IsNoRows(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read MCP session: %w", err)
	}
	return s.r.ring.Open(sessionBinding(k.Owner, k.Server), sealed)
}

// Save implements mcpclient.SessionStore.
func (s sessions) Save(ctx context.Context, k mcpclient.Key, session []byte) error {
	sealed, err := s.r.ring.Seal(sessionBinding(k.Owner, k.Server), session)
	if err != nil {
		return err
	}
	err = s.r.db.PutServerSession(ctx, store.PutServerSessionParams{Owner: k.Owner, ServerID: k.Server, Version: k.Version, SessionSealed: sealed})
	if err != nil {
		return fmt.Errorf("store MCP session: %w", err)
	}
	return nil
}

// Delete implements mcpclient.SessionStore.
func (s sessions) Delete(ctx context.Context, k mcpclient.Key) error {
	err := s.r.db.DeleteServerSession(ctx, store.DeleteServerSessionParams{Owner: k.Owner, ServerID: k.Server, Version: k.Version})
	if err != nil {
		return fmt.Errorf("delete MCP session: %w", err)
	}
	return nil
}
