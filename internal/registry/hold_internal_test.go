package registry

import (
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/store"
	"steward/internal/storetest"
)

// heldBy is one process over the database.
func heldBy(t *testing.T, db *store.DB) (*holds, <-chan int32) {
	t.Helper()
	lost := make(chan int32, 8)
	h := newHolds(db, slog.New(slog.DiscardHandler), func(id int32) { lost <- id })
	t.Cleanup(func() { h.close(t.Context()) })
	return h, lost
}

func (h *holds) mustTake(t *testing.T, id int32) bool {
	t.Helper()
	held, err := h.take(t.Context(), id)
	require.NoError(t, err)
	return held
}

func TestOneProcessHoldsASession(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	one, _ := heldBy(t, db)
	two, _ := heldBy(t, db)
	require.True(t, one.mustTake(t, 1))
	require.True(t, one.mustTake(t, 1), "it is its own")
	require.False(t, two.mustTake(t, 1))
	require.True(t, two.mustTake(t, 2))
	two.leave(t.Context(), 1) // it has it not
	one.leave(t.Context(), 1)
	require.False(t, two.mustTake(t, 1), "one has it still")
	one.leave(t.Context(), 1)
	require.True(t, two.mustTake(t, 1))

	// Who dies leaves everything at once: the kernel closes its connections.
	require.False(t, one.mustTake(t, 2))
	two.close(t.Context())
	require.Eventually(t, func() bool { return one.mustTake(t, 1) && one.mustTake(t, 2) }, 5*time.Second, 5*time.Millisecond)
}

// A connection that breaks is made again, and with it what nobody took meanwhile.
func TestHoldsOutliveTheirConnection(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	one, lost := heldBy(t, db)
	two, _ := heldBy(t, db)
	require.True(t, one.mustTake(t, 1))
	require.True(t, one.mustTake(t, 2))
	one.mu.Lock() // or it may be back before two is there
	require.NoError(t, one.conn.Close(t.Context()))
	require.Eventually(t, func() bool { return two.mustTake(t, 2) }, 5*time.Second, 5*time.Millisecond)
	one.mu.Unlock()
	require.EqualValues(t, 2, <-lost)
	require.False(t, two.mustTake(t, 1))
	require.True(t, one.mustTake(t, 1))
}
