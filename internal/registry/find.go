package registry

import (
	"context"
	"fmt"
	"strconv"

	"steward/internal/fault"
	"steward/internal/store"
)

// Server is one server that owner may call; nil if there is none. Rows are shared: do not change them.
func (r *Registry) Server(ctx context.Context, owner string, id int64) (*store.MCPServer, error) {
	row, err := remembered(&r.memory, func(m *memory) *map[int64]*store.MCPServer { return &m.rows }, id, func() (*store.MCPServer, error) {
		row, err := r.db.ReadServer(ctx, id)
		if store.IsNoRows(err) {
			return nil, nil
		}
		return row, err
	})
	if err != nil {
		return nil, fmt.Errorf("read server: %w", err)
	}
	if row == nil || row.Owner != nil && *row.Owner != owner {
		return nil, nil
	}
	return row, nil
}

// Visible are the servers that owner may call, by their numbers, and those that are disabled.
func (r *Registry) Visible(ctx context.Context, owner string) ([]*store.MCPServer, error) {
	rows, err := remembered(&r.memory, func(m *memory) *map[string][]*store.MCPServer { return &m.visible }, owner,
		func() ([]*store.MCPServer, error) { return r.db.ListVisibleServers(ctx, owner) })
	if err != nil {
		return nil, fmt.Errorf("list servers: %w", err)
	}
	return rows, nil
}

// ByName is the server that owner calls by a name or a number; nil if there is none. One's own wins over an admin's
// of the same name.
func (r *Registry) ByName(ctx context.Context, owner, name string) (*store.MCPServer, error) {
	if id, err := strconv.ParseInt(name, 10, 64); err == nil {
		return r.Server(ctx, owner, id)
	}
	rows, err := r.Visible(ctx, owner)
	if err != nil {
		return nil, err
	}
	var found *store.MCPServer
	for _, row := range rows {
		if row.Name == name && (found == nil || row.Owner != nil) {
			found = row
		}
	}
	return found, nil
}

// Servers returns the rows of ids that owner may call, in the order of ids.
func (r *Registry) Servers(ctx context.Context, owner string, ids []int64) ([]*store.MCPServer, error) {
	out := make([]*store.MCPServer, 0, len(ids))
	for _, id := range ids {
		row, err := r.Server(ctx, owner, id)
		if err != nil {
			return nil, err
		}
		if row != nil {
			out = append(out, row)
		}
	}
	return out, nil
}

// Pick resolves what a request names: ids, and names or numeric ids of more servers. Nothing named means
// every server that owner can call. A foreign, disabled or absent server is an Invalid fault at its
// location, the same for all three.
func Pick(ctx context.Context, q *store.Queries, owner string, id int64, more []string) ([]int64, error) {
	all, err := q.ListServersForUser(ctx, owner)
	if err != nil {
		return nil, fmt.Errorf("list servers: %w", err)
	}
	byName := map[string]int64{}
	known := map[int64]bool{}
	var ids []int64
	for _, s := range all {
		known[s.ID] = true
		if _, taken := byName[s.Name]; !taken || s.Owner != nil { // one's own name wins over an admin's
			byName[s.Name] = s.ID
		}
		ids = append(ids, s.ID)
	}
	if id == 0 && len(more) == 0 {
		return ids, nil
	}
	ids = nil
	if id != 0 {
		if !known[id] {
			return nil, fault.InvalidField("body.mcp_server_id", "no such MCP server")
		}
		ids = append(ids, id)
		delete(known, id)
	}
	for i, name := range more {
		n, ok := byName[name]
		if num, err := strconv.ParseInt(name, 10, 64); !ok && err == nil {
			n, ok = num, known[num] || num == id
		}
		if !ok {
			return nil, fault.InvalidField(fmt.Sprintf("body.servers[%d]", i), "no such MCP server")
		}
		if known[n] {
			ids = append(ids, n)
			delete(known, n)
		}
	}
	return ids, nil
}
