package store

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"

	"github.com/jackc/pgx/v5/pgconn"
)

// changes is the channel of what processes keep in memory.
const changes = "steward_changes"

// What changes.
const (
	ServerChanged   = "server"   // settings of a server, or the server is gone; Version is the new one, 0 if gone
	ToolsChanged    = "tool"     // definitions or states of a server's tools
	OverrideChanged = "override" // what its owner says of a server's tools
	SecretChanged   = "secret"   // what Owner has stored for a server
)

// Change says that something which other processes keep in memory is another. It holds no content: whoever needs
// that reads it.
type Change struct {
	Kind    string `json:"kind"`
	Owner   string `json:"owner,omitempty"` // whose; empty: everybody's
	Server  int64  `json:"server"`
	Version int64  `json:"version,omitempty"`
}

// Announce tells every process of a change when the transaction commits, and nobody if it does not.
func (q *Queries) Announce(ctx context.Context, change Change) error {
	text, err := json.Marshal(change)
	if err != nil {
		return fmt.Errorf("announce change: %w", err)
	}
	if err := q.NotifyChange(ctx, string(text)); err != nil {
		return fmt.Errorf("announce change: %w", err)
	}
	return nil
}

// Listen hands every announced change to told until ctx ends, and returns nil then. While up(false) was the last
// call, changes are missed: nothing kept in memory may be believed. After up(true) it may be read anew. Both
// functions are called by one goroutine and must not wait for long.
func (db *DB) Listen(ctx context.Context, log *slog.Logger, told func(Change), up func(bool)) error {
	return db.Hear(ctx, log, Hearing{
		Channels: []string{changes},
		Up:       func() { up(true) },
		Down:     func() { up(false) },
		Told: func(n *pgconn.Notification) {
			var c Change
			if err := json.Unmarshal([]byte(n.Payload), &c); err != nil { // a later release may say it another way
				log.WarnContext(ctx, "unreadable change", "error", err)
				up(true) // whatever it was: read anew
				return
			}
			told(c)
		},
	})
}
