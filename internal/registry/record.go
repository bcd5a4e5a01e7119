package registry

import (
	"context"
	"crypto/rand"
	"fmt"

	"steward/internal/audit"
	"steward/internal/store"
)

// record keeps the tool list as last seen, so that people can read it while the server is away, and quarantines what
// nobody has agreed to (security.md T-25):
//
//   - the first list of a server is agreed to as it is: whoever registered the server meant that;
//   - a definition that changes is quarantined until somebody has looked at the difference, and comes back by itself
//     only as it was;
//   - a new tool of a server that an admin trusts is quarantined too, because what it says of itself would be
//     believed. One of another server is taken as it is: nothing it says is believed;
//   - a tool that goes away is kept, and compared when it returns.
//
// An unchanged list, which is what the pool's cache answers with, writes nothing.
func (r *Registry) record(ctx context.Context, s *store.MCPServer, l *listed) (*knownTools, error) {
	known, err := r.knownTools(ctx, s.ID)
	if err != nil || known.has(l) || l.recorded.Load() && known.names(l) {
		return known, err
	}
	outdated := false
	err = r.db.Tx(ctx, func(q *store.Queries) error {
		row, err := q.LockServer(ctx, s.ID)
		if store.IsNoRows(err) || err == nil && row.Version != s.Version {
			outdated = true // it is gone, or is reached another way by now
			return nil
		}
		if err != nil {
			return fmt.Errorf("lock server: %w", err)
		}
		if known, err = readTools(ctx, q, s.ID); err != nil || known.has(l) {
			return err
		}
		return write(ctx, q, row, known, l)
	})
	if err != nil || outdated {
		return known, err
	}
	l.recorded.Store(true)
	r.memory.forget(store.Change{Kind: store.ToolsChanged, Server: s.ID})
	return r.knownTools(ctx, s.ID)
}

// write brings the rows in line with the list.
func write(ctx context.Context, q *store.Queries, s *store.MCPServer, known *knownTools, l *listed) error {
	first := len(known.tools) == 0
	names := make([]string, len(l.tools))
	for i, t := range l.tools {
		names[i] = t.Name
		row := store.PutServerToolParams{
			ServerID: s.ID, Name: t.Name, Pin: l.pins[i], Definition: t.Definition, Position: int32(i), State: string(known.state(t.Name, l.pins[i])),
		}
		before := known.tools[t.Name]
		if before == nil && (first || !s.Trusted) {
			row.State, row.ApprovedPin, row.ApprovedDefinition = string(Approved), l.pins[i], t.Definition
		}
		if err := q.PutServerTool(ctx, row); err != nil {
			return fmt.Errorf("record tool: %w", err)
		}
		if row.State == string(Quarantined) && (before == nil || before.Pin != row.Pin) {
			if err := audit.Put(ctx, q, quarantinedEvent(s, before, row)); err != nil {
				return err
			}
		}
	}
	if err := q.MarkToolsGone(ctx, store.MarkToolsGoneParams{ServerID: s.ID, Offered: names}); err != nil {
		return fmt.Errorf("record tools that are gone: %w", err)
	}
	return q.Announce(ctx, store.Change{Kind: store.ToolsChanged, Server: s.ID})
}

type quarantinedBody struct {
	Server int64  `json:"server"`
	Name   string `json:"server_name"`
	Tool   string `json:"tool"`
	Was    string `json:"was,omitempty"` // the pin agreed to; empty: a new tool
	Is     string `json:"is"`
}

func quarantinedEvent(s *store.MCPServer, before *store.ServerTool, now store.PutServerToolParams) audit.Event {
	was := ""
	if before != nil {
		was = before.ApprovedPin
	}
	return audit.Event{
		Chain: chainOf(s), Key: fmt.Sprintf("server/%d/quarantined/%s", s.ID, rand.Text()), Kind: audit.ToolQuarantined, Actor: "registry",
		Body: quarantinedBody{s.ID, s.Name, now.Name, was, now.Pin},
	}
}
