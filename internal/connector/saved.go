package connector

import (
	"context"
	"fmt"

	"steward/internal/store"
)

// Saved lists what owner has connected with forms, the oldest first.
func (c *Connections) Saved(ctx context.Context, owner string) ([]Connection, error) {
	if c.db == nil {
		return nil, nil
	}
	rows, err := c.db.ListConnections(ctx, owner)
	if err != nil {
		return nil, fmt.Errorf("list connections: %w", err)
	}
	out := make([]Connection, 0, len(rows))
	for _, row := range rows {
		if conn := c.of(row); conn.Connector != nil {
			out = append(out, conn)
		}
	}
	return out, nil
}

// saved is nil if owner has no connection of this id, or its kind is not in the list any more.
func (c *Connections) saved(ctx context.Context, owner, id string) (*Connection, error) {
	if c.db == nil {
		return nil, nil
	}
	row, err := c.db.GetConnection(ctx, store.GetConnectionParams{ID: id, Owner: owner})
	if store.IsNoRows(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read connection: %w", err)
	}
	conn := c.of(row)
	if conn.Connector == nil {
		return nil, nil
	}
	return &conn, nil
}

// of is a row as a connection; without a Connector if its kind is not in the list any more.
func (c *Connections) of(row *store.Connection) Connection {
	kind, _ := c.Find(row.Kind)
	return Connection{ID: row.ID, Name: row.Name, Connector: kind, row: row}
}
