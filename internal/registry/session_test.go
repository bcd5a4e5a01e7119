package registry_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/mcpclient"
	"steward/internal/registry"
)

// sessions are the session ids that calls came with.
func (s *shop) sessions() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	ids := map[string]int{}
	for _, h := range s.headers {
		if id := h.Get("Mcp-Session-Id"); id != "" {
			ids[id]++
		}
	}
	return ids
}

// Two processes never share a session with an older server, and who comes after one goes on with its session.
func TestProcessesHaveTheirOwnSessions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	shop := newShop(t, tool("look", "looks"))
	s := w.add(admin(), shop.server("shop"))
	other, _ := w.process()
	use := func(r *registry.Registry) {
		t.Helper()
		_, err := r.Call(t.Context(), "alice", s, mcpclient.Call{Tool: "look"})
		require.NoError(t, err)
	}
	for range 2 {
		use(w.Registry)
		use(other)
	}
	require.Len(t, shop.sessions(), 2)
	require.NoError(t, other.Close(t.Context()))
	third, _ := w.process()
	use(third)
	require.Len(t, shop.sessions(), 2)
}
