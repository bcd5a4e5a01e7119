package registry

import (
	"context"
	"fmt"

	"steward/internal/secret"
	"steward/internal/store"
)

// Register stores an admin's server under its id, replacing what was there: it is for servers that come with this
// program. Whoever brings another program means its tools too, so they are agreed to as they are first seen.
func Register(ctx context.Context, q *store.Queries, ring *secret.Ring, s Server) error {
	row, err := encoded(ring, nil, s)
	if err != nil {
		return err
	}
	put, err := q.PutServer(ctx, store.PutServerParams{
		ID: s.ID, Name: s.Name, Description: s.Description, Transport: s.Transport, Command: s.Command, Args: row.Args,
		EnvSealed: row.EnvSealed, URL: s.URL, HeadersSealed: row.HeadersSealed, EnvSchema: row.EnvSchema, HeaderSchema: row.HeaderSchema,
		Trusted: s.Trusted, AuthProvider: s.AuthProvider,
	})
	if err != nil {
		return fmt.Errorf("register server %s: %w", s.Name, err)
	}
	if err := q.DeleteServerTools(ctx, s.ID); err != nil {
		return fmt.Errorf("forget tools of server %s: %w", s.Name, err)
	}
	if err := q.SkipServerIDs(ctx); err != nil {
		return fmt.Errorf("skip server ids: %w", err)
	}
	return q.Announce(ctx, store.Change{Kind: store.ServerChanged, Server: s.ID, Version: put.Version})
}
