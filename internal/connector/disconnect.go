package connector

import (
	"context"
	"fmt"

	"steward/internal/audit"
	"steward/internal/fault"
	"steward/internal/store"
)

// Disconnect forgets a connection and what was filled in, and ends its link. Fault: NotFound if the owner has none of
// this id.
func (c *Connections) Disconnect(ctx context.Context, owner, actor, id string) (Connection, error) {
	var row *store.Connection
	err := c.db.Tx(ctx, func(q *store.Queries) (err error) {
		row, err = q.DeleteConnection(ctx, store.DeleteConnectionParams{ID: id, Owner: owner})
		if store.IsNoRows(err) {
			return fault.New(fault.NotFound, "no such connection")
		}
		if err != nil {
			return err
		}
		return audit.Put(ctx, q, eventOf(audit.ConnectionRemoved, actor, row))
	})
	if err != nil {
		return Connection{}, fmt.Errorf("remove connection: %w", err)
	}
	c.links.end(id)
	return c.of(row), nil
}
