package registry_test

import (
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/auth"
	"steward/internal/fault"
	"steward/internal/idempotency"
	"steward/internal/registry"
)

// One user's own servers are as bounded as the user's connections, however many requests come at once; the admins' for
// everybody are not.
func TestOwnServersAreBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	at := func(name string) registry.Server {
		return registry.Server{Name: name, Transport: "http", URL: "https://example.com/mcp"}
	}
	_, err := w.db.Pool.Exec(t.Context(), `INSERT INTO mcp_servers (owner, name, transport, url)
		SELECT 'alice', 'own-' || n, 'http', 'https://example.com/mcp' FROM generate_series(1, 48) n`)
	require.NoError(t, err)
	errs := make([]error, 8)
	var all sync.WaitGroup
	for i := range errs {
		all.Go(func() {
			_, _, errs[i] = w.Add(t.Context(), user("alice"), at("more-"+strconv.Itoa(i)), idempotency.Once{})
		})
	}
	all.Wait()
	refused := slices.DeleteFunc(errs, func(err error) bool { return err == nil })
	require.Len(t, refused, 6)
	for _, err := range refused {
		require.True(t, fault.Is(err, fault.Conflict), "%v", err)
		require.Equal(t, registry.CodeTooMany, fault.CodeOf(err))
	}

	private := at("hidden")
	private.Private = true
	for p, s := range map[*auth.Principal]registry.Server{new(user("alice")): at("one-more"), new(adminNamed("alice")): private} {
		_, _, err := w.Add(t.Context(), *p, s, idempotency.Once{})
		require.Equal(t, registry.CodeTooMany, fault.CodeOf(err))
	}
	w.add(adminNamed("alice"), at("everybodys"))
	w.add(user("bob"), at("bobs"))
	own, err := w.ByName(t.Context(), "alice", "own-7")
	require.NoError(t, err)
	require.NoError(t, w.Remove(t.Context(), user("alice"), own.ID))
	w.add(user("alice"), at("one-more"))
}
