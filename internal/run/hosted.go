package run

import (
	"context"
	"fmt"
	"strconv"

	"steward/internal/automation"
	"steward/internal/fault"
	"steward/internal/registry"
	"steward/internal/store"
)

// checkHosted refuses what a run cannot have in which the model's provider calls the tools: without a provider
// that does so, and with connections, which are the owner's private data and are read by our worker alone.
func (s *Service) checkHosted(r Request) error {
	switch {
	case r.Mode != automation.ModeProvider:
		return nil
	case !s.opts.HostedMCP:
		return fault.InvalidField("body.mode", "the configured model provider does not call MCP servers itself: leave mode out, and our worker calls them")
	case len(r.Connections) > 0:
		return fault.InvalidField("body.connections", "are not available in this mode: only our worker reads them")
	}
	return nil
}

// pickServers resolves what a request names. For a run whose tools the provider calls, each server must be one
// that the provider can reach; if none is named, those of the owner's are taken that are.
func pickServers(ctx context.Context, q *store.Queries, owner string, r Request) ([]int64, error) {
	named := r.MCPServerID != 0 || len(r.Servers) > 0
	if !named && len(r.Connections) > 0 {
		return []int64{}, nil
	}
	ids, err := registry.Pick(ctx, q, owner, r.MCPServerID, r.Servers)
	if err != nil || r.Mode != automation.ModeProvider {
		return ids, err
	}
	rows, err := q.GetServersForUser(ctx, store.GetServersForUserParams{Ids: ids, Owner: owner})
	if err != nil {
		return nil, fmt.Errorf("read servers: %w", err)
	}
	reachable := map[int64]bool{}
	for _, row := range rows {
		why := registry.CheckPublic(row)
		reachable[row.ID] = why == nil
		if why != nil && named {
			return nil, fault.InvalidField(location(r, row), "the model's provider cannot call %s: %s", row.Name, why)
		}
	}
	picked := make([]int64, 0, len(ids))
	for _, id := range ids {
		if reachable[id] {
			picked = append(picked, id)
		}
	}
	if len(picked) == 0 {
		return nil, fault.InvalidField("body.servers", "you have no server that the model's provider can call: it needs a public https:// URL")
	}
	return picked, nil
}

// location is where a request names a server.
func location(r Request, row *store.MCPServer) string {
	if row.ID == r.MCPServerID {
		return "body.mcp_server_id"
	}
	for i, name := range r.Servers {
		if name == row.Name || name == strconv.FormatInt(row.ID, 10) {
			return fmt.Sprintf("body.servers[%d]", i)
		}
	}
	return "body.servers"
}
