package idempotency_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/fault"
	"steward/internal/idempotency"
	"steward/internal/store"
	"steward/internal/storetest"
)

func TestOneAnswerForOneRequest(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	find := func(o idempotency.Once, owner string) (found bool, answer int64, err error) {
		err = db.Tx(t.Context(), func(q *store.Queries) error {
			found, err = o.Find(t.Context(), q, owner, &answer)
			return err
		})
		return found, answer, err
	}
	once := idempotency.Once{Route: "POST /x", Key: "k", Digest: []byte("body")}
	require.NoError(t, db.Tx(t.Context(), func(q *store.Queries) error {
		found, err := once.Find(t.Context(), q, "alice", new(int64))
		require.NoError(t, err)
		require.False(t, found)
		_, _, err = find(once, "alice")
		require.Equal(t, idempotency.CodeInProgress, fault.CodeOf(err))
		return once.Keep(t.Context(), q, "alice", 201, int64(7))
	}))
	found, answer, err := find(once, "alice")
	require.NoError(t, err)
	require.True(t, found)
	require.EqualValues(t, 7, answer)

	changed := once
	changed.Digest = []byte("another")
	_, _, err = find(changed, "alice")
	require.Equal(t, idempotency.CodeMismatch, fault.CodeOf(err))
	for owner, o := range map[string]idempotency.Once{
		"bob":   once,
		"alice": {Route: "POST /y", Key: once.Key, Digest: once.Digest},
	} {
		found, _, err = find(o, owner)
		require.NoError(t, err)
		require.False(t, found, "a key is of one owner and one route")
	}
}

func TestWithoutAKeyNothingIsKept(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	for range 2 {
		require.NoError(t, db.Tx(t.Context(), func(q *store.Queries) error {
			found, err := idempotency.Once{Route: "POST /x"}.Find(t.Context(), q, "alice", new(int64))
			require.NoError(t, err)
			require.False(t, found)
			return idempotency.Once{Route: "POST /x"}.Keep(t.Context(), q, "alice", 201, 7)
		}))
	}
}
