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

// CodeStalePin is the code of the fault for a definition that is not the one that somebody has looked at.
const CodeStalePin = "stale_pin"

// Review says what somebody thinks of a tool's definition, the one with the pin that they saw. An accepted one may be
// called; runs that wait for it go on. A rejected one is not called, also if it had been agreed to before. Faults:
// NotFound, Forbidden, and Conflict if the server has changed the definition again meanwhile.
func (r *Registry) Review(ctx context.Context, p auth.Principal, server int64, tool string, accept bool, pin string) error {
	row, err := r.fresh(ctx, p.Owner, server)
	if err != nil {
		return err
	}
	if err := mayChange(p, row); err != nil {
		return err
	}
	err = r.db.Tx(ctx, func(q *store.Queries) error {
		if _, err := q.LockServer(ctx, server); err != nil {
			if store.IsNoRows(err) {
				return errAbsent
			}
			return fmt.Errorf("lock server: %w", err)
		}
		known, err := q.GetServerTool(ctx, store.GetServerToolParams{ServerID: server, Name: tool})
		switch {
		case store.IsNoRows(err):
			return fault.New(fault.NotFound, "the server has no such tool")
		case err != nil:
			return fmt.Errorf("read tool: %w", err)
		case known.Pin != pin:
			return fault.New(fault.Conflict, "the tool has another definition by now: look at that one").WithCode(CodeStalePin)
		}
		if err := q.ReviewServerTool(ctx, judged(known, p.Actor, accept)); err != nil {
			return fmt.Errorf("store review: %w", err)
		}
		if err := audit.Put(ctx, q, reviewedEvent(p, row, known, accept)); err != nil {
			return err
		}
		return q.Announce(ctx, store.Change{Kind: store.ToolsChanged, Server: server})
	})
	if err != nil {
		return err
	}
	r.heard(store.Change{Kind: store.ToolsChanged, Server: server})
	if r.reviewed != nil {
		r.reviewed(context.WithoutCancel(ctx), server)
	}
	return nil
}

// judged is what a review makes of a tool. Rejecting a definition takes back that it was agreed to.
func judged(t *store.ServerTool, actor string, accept bool) store.ReviewServerToolParams {
	row := store.ReviewServerToolParams{
		ServerID: t.ServerID, Name: t.Name, State: string(Rejected), ApprovedPin: t.ApprovedPin, ApprovedDefinition: t.ApprovedDefinition, ReviewedBy: actor,
	}
	switch {
	case accept:
		row.State, row.ApprovedPin, row.ApprovedDefinition = string(Approved), t.Pin, t.Definition
	case t.ApprovedPin == t.Pin:
		row.ApprovedPin, row.ApprovedDefinition = "", nil
	}
	return row
}

type reviewedBody struct {
	Server   int64  `json:"server"`
	Name     string `json:"server_name"`
	Tool     string `json:"tool"`
	Was      string `json:"was,omitempty"` // the pin agreed to before
	Is       string `json:"is"`
	Accepted bool   `json:"accepted"`
}

func reviewedEvent(p auth.Principal, s *store.MCPServer, t *store.ServerTool, accept bool) audit.Event {
	return audit.Event{
		Chain: chainOf(s), Key: fmt.Sprintf("server/%d/reviewed/%s", s.ID, rand.Text()), Kind: audit.ToolReviewed, Actor: p.Actor,
		Body: reviewedBody{s.ID, s.Name, t.Name, t.ApprovedPin, t.Pin, accept},
	}
}
