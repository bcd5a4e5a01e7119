package registry

import (
	"context"
	"crypto/rand"
	"fmt"

	"steward/internal/audit"
	"steward/internal/auth"
	"steward/internal/fault"
	"steward/internal/store"
)

// SetOverride stores what a server's owner says of one of its tools, in place of what was said before. Faults:
// NotFound, Forbidden and Invalid.
func (r *Registry) SetOverride(ctx context.Context, p auth.Principal, server int64, tool string, o Override) error {
	row, err := r.fresh(ctx, p.Owner, server)
	if err != nil {
		return err
	}
	if err := mayChange(p, row); err != nil {
		return err
	}
	if o.Timeout < 0 || o.Timeout > MaxTimeout {
		return fault.InvalidField("body.timeout_ms", "must be between 0 and %d", MaxTimeout.Milliseconds())
	}
	changed := store.Change{Kind: store.OverrideChanged, Server: server}
	err = r.db.Tx(ctx, func(q *store.Queries) error {
		_, err := q.GetServerTool(ctx, store.GetServerToolParams{ServerID: server, Name: tool})
		switch {
		case store.IsNoRows(err):
			return fault.New(fault.NotFound, "the server has no such tool")
		case err != nil:
			return fmt.Errorf("read tool: %w", err)
		}
		err = q.PutOverride(ctx, store.PutOverrideParams{
			ServerID: server, Tool: tool, ReadOnly: o.ReadOnly, Destructive: o.Destructive, Idempotent: o.Idempotent, OpenWorld: o.OpenWorld,
			Enabled: !o.Disabled, TimeoutMs: o.Timeout.Milliseconds(), UpdatedBy: p.Actor,
		})
		if err != nil {
			return fmt.Errorf("store override: %w", err)
		}
		if err := audit.Put(ctx, q, overriddenEvent(p, row, tool, o)); err != nil {
			return err
		}
		return q.Announce(ctx, changed)
	})
	if err != nil {
		return err
	}
	r.heard(changed)
	return nil
}

type overriddenBody struct {
	Server      int64  `json:"server"`
	Name        string `json:"server_name"`
	Tool        string `json:"tool"`
	ReadOnly    *bool  `json:"read_only,omitempty"`
	Destructive *bool  `json:"destructive,omitempty"`
	Idempotent  *bool  `json:"idempotent,omitempty"`
	OpenWorld   *bool  `json:"open_world,omitempty"`
	Enabled     bool   `json:"enabled"`
	TimeoutMS   int64  `json:"timeout_ms"`
}

func overriddenEvent(p auth.Principal, s *store.MCPServer, tool string, o Override) audit.Event {
	return audit.Event{
		Chain: chainOf(s), Key: fmt.Sprintf("server/%d/overridden/%s", s.ID, rand.Text()), Kind: audit.ToolOverridden, Actor: p.Actor,
		Body: overriddenBody{s.ID, s.Name, tool, o.ReadOnly, o.Destructive, o.Idempotent, o.OpenWorld, !o.Disabled, o.Timeout.Milliseconds()},
	}
}
