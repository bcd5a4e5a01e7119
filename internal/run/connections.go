package run

import (
	"context"
	"fmt"
	"slices"

	"steward/internal/automation"
	"steward/internal/connector"
	"steward/internal/fault"
)

// pickConnections resolves what a request names. A request that names no source at all may use everything that
// is connected; the model's provider may use nothing of it.
func (s *Service) pickConnections(ctx context.Context, owner string, r Request) ([]string, error) {
	if len(r.Connections) == 0 && (r.MCPServerID != 0 || len(r.Servers) > 0 || r.Mode == automation.ModeProvider) {
		return []string{}, nil
	}
	connected, err := s.users.Of(ctx, owner)
	if err != nil {
		return nil, err
	}
	all := make([]string, 0, len(connected))
	for _, c := range connected {
		all = append(all, c.ID)
	}
	if len(r.Connections) == 0 {
		return all, nil
	}
	for i, name := range r.Connections {
		if slices.Contains(all, name) {
			continue
		}
		return nil, fault.InvalidField(fmt.Sprintf("body.connections[%d]", i), "%s", notConnected(s.users, name))
	}
	return slices.Compact(slices.Sorted(slices.Values(r.Connections))), nil
}

// notConnected says what somebody may have meant who names what they have not connected.
func notConnected(users *connector.Connections, name string) string {
	k, known := users.Find(name)
	switch {
	case known && k.Form == nil:
		return k.Title + " is not connected: see POST /api/integrations/connect"
	case known:
		return "is a kind of database: name one that is connected by its db_id, which GET /api/databases lists"
	}
	return "no such connection: GET /api/integrations/connected and GET /api/databases list what is connected"
}
