package registry_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/mcpclient"
	"steward/internal/registry"
	"steward/internal/secret"
	"steward/internal/store"
)

// watch lets a registry hear of changes until the test ends.
func watch(t *testing.T, r *registry.Registry) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.Watch(ctx) }()
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-ended)
	})
}

func TestProcessesKeepInStep(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other, _ := w.process()
	watch(t, other)
	shop := newShop(t, tool("order", "Order a book"))
	s := w.add(admin(), shop.server("shop"))
	inOther := func() *store.MCPServer {
		row, err := other.ByName(t.Context(), "alice", "shop")
		require.NoError(t, err)
		return row
	}
	waitFor(t, "a new server is there", func() bool { return inOther() != nil })
	_, err := other.Call(t.Context(), "alice", inOther(), mcpclient.Call{Tool: "order"})
	require.NoError(t, err)

	title := "Shop"
	_, err = w.Change(t.Context(), admin(), s.ID, registry.Patch{Title: &title})
	require.NoError(t, err)
	waitFor(t, "a change is seen", func() bool { return inOther().Title == title })

	offers := func() registry.Offered {
		all, err := other.Offers(t.Context(), "alice", inOther())
		require.NoError(t, err)
		require.Len(t, all, 1)
		return all[0]
	}
	pin := offers().Pin
	yes := true
	require.NoError(t, w.SetOverride(t.Context(), admin(), s.ID, "order", registry.Override{ReadOnly: &yes}))
	waitFor(t, "an override counts", func() bool { return offers().ReadOnly != nil })
	require.NoError(t, w.Review(t.Context(), admin(), s.ID, "order", false, pin))
	waitFor(t, "a review counts", func() bool { return offers().State == registry.Rejected })

	require.NoError(t, w.Remove(t.Context(), admin(), s.ID))
	waitFor(t, "a server that is gone is gone", func() bool { return inOther() == nil })
}

func TestMemoryIsOnlyBelievedWhileItHears(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.add(admin(), registry.Server{Name: "shop", Transport: "http", URL: "https://example.com/mcp"})
	_, err := w.Server(t.Context(), "alice", s.ID)
	require.NoError(t, err)
	_, err = w.db.Pool.Exec(t.Context(), "UPDATE mcp_servers SET title = 'silently' WHERE id = $1", s.ID)
	require.NoError(t, err)
	row, err := w.Server(t.Context(), "alice", s.ID)
	require.NoError(t, err)
	require.Equal(t, "silently", row.Title, "nobody listens: the database is asked")

	watch(t, w.Registry)
	waitFor(t, "memory is used", func() bool {
		_, err := w.Server(t.Context(), "alice", s.ID)
		require.NoError(t, err)
		_, err = w.db.Pool.Exec(t.Context(), "UPDATE mcp_servers SET title = title || '.' WHERE id = $1", s.ID)
		require.NoError(t, err)
		first, err := w.Server(t.Context(), "alice", s.ID)
		require.NoError(t, err)
		second, err := w.Server(t.Context(), "alice", s.ID)
		require.NoError(t, err)
		return first == second
	})
}

func TestStatusIsEachUsersOwn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	shop := newShop(t, tool("order", "Order a book"))
	s := w.add(admin(), shop.server("shop"))
	status := func(owner string) registry.Status {
		all, err := w.Status(t.Context(), owner, []int64{s.ID})
		require.NoError(t, err)
		return all[s.ID]
	}
	require.Equal(t, "disconnected", status("alice").State)
	st, err := w.Connect(t.Context(), "alice", s)
	require.NoError(t, err)
	require.Equal(t, "connected", st.State)
	require.Equal(t, "connected", status("alice").State)
	require.WithinDuration(t, time.Now(), status("alice").At, time.Minute)
	require.Equal(t, "disconnected", status("bob").State)

	row, err := w.Server(t.Context(), "alice", s.ID)
	require.NoError(t, err)
	require.NotEmpty(t, row.Era, "what it speaks is known now")
	require.NotEmpty(t, row.ProtocolVersion)
	require.Contains(t, string(row.ServerInfo), "shop")

	off, err := w.SetEnabled(t.Context(), admin(), s.ID, false)
	require.NoError(t, err)
	require.Equal(t, "disconnected", status("alice").State)
	on, err := w.SetEnabled(t.Context(), admin(), s.ID, true)
	require.NoError(t, err)
	require.Equal(t, off.Version+1, on.Version)
	shop.Close()
	st, err = w.Connect(t.Context(), "alice", on)
	require.NoError(t, err)
	require.Equal(t, "error", st.State)
	require.Equal(t, "the server could not be started or reached", st.Error)
}

func TestChildrensLastWordsAreShownWithoutSecrets(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.add(admin(), registry.Server{
		Name: "broken", Transport: "stdio", Command: "/bin/sh", Args: []string{"-c", `echo "cannot use key $API_KEY" >&2; exit 1`},
		Env: plain(map[string]string{"API_KEY": "canary-4711"}),
	})
	st, err := w.Connect(t.Context(), "alice", s)
	require.NoError(t, err)
	require.Equal(t, "error", st.State)
	require.Contains(t, st.Logs, "cannot use key [redacted]")
	all, err := w.Status(t.Context(), "alice", []int64{s.ID})
	require.NoError(t, err)
	require.Equal(t, st.Logs, all[s.ID].Logs)
}

func TestSessionsAreSealedForTheirOwner(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.own("alice", registry.Server{Name: "shop", Transport: "http", URL: "https://example.com/mcp"})
	_, err := w.Change(t.Context(), adminNamed("alice"), s.ID, registry.Patch{SessionID: secret.New("1868a90c-canary")})
	require.NoError(t, err)
	var sealed []byte
	require.NoError(t, w.db.Pool.QueryRow(t.Context(), "SELECT session_sealed FROM server_sessions WHERE owner = 'alice' AND server_id = $1", s.ID).Scan(&sealed))
	require.NotContains(t, string(sealed), "canary")
	moved := "https://example.com/other"
	_, err = w.Change(t.Context(), adminNamed("alice"), s.ID, registry.Patch{URL: &moved})
	require.NoError(t, err)
	var left int
	require.NoError(t, w.db.Pool.QueryRow(t.Context(), "SELECT count(*) FROM server_sessions").Scan(&left))
	require.Zero(t, left)
}
