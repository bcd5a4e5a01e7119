package store_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"steward/internal/store"
	"steward/internal/storetest"
)

func putKey(key string) store.PutIdempotencyKeyParams {
	return store.PutIdempotencyKeyParams{Owner: "alice", Route: "r", Key: key, BodyDigest: []byte{1}, Response: []byte("{}")}
}

func hasKey(t *testing.T, db *store.DB, key string) bool {
	t.Helper()
	_, err := db.GetIdempotencyKey(t.Context(), store.GetIdempotencyKeyParams{Owner: "alice", Route: "r", Key: key})
	if store.IsNoRows(err) {
		return false
	}
	require.NoError(t, err)
	return true
}

func TestTxCommitsWhatWaited(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	require.NoError(t, db.Tx(t.Context(), func(q *store.Queries) error { return q.PutIdempotencyKey(t.Context(), putKey("a")) }))
	require.True(t, hasKey(t, db, "a"))
	require.NoError(t, db.Tx(t.Context(), func(*store.Queries) error { return nil }))
}

func TestTxReadsItsOwnWrites(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	require.NoError(t, db.Tx(t.Context(), func(q *store.Queries) error {
		require.NoError(t, q.PutIdempotencyKey(t.Context(), putKey("a")))
		got, err := q.GetIdempotencyKey(t.Context(), store.GetIdempotencyKeyParams{Owner: "alice", Route: "r", Key: "a"})
		require.NoError(t, err)
		require.Equal(t, []byte{1}, got.BodyDigest)
		_, err = q.GetIdempotencyKey(t.Context(), store.GetIdempotencyKeyParams{Owner: "alice", Route: "r", Key: "b"})
		require.True(t, store.IsNoRows(err), "%v", err)
		chains, err := q.ListChains(t.Context(), store.ListChainsParams{PageSize: 10})
		require.NoError(t, err)
		require.Empty(t, chains)
		n, err := q.DeleteExpiredRevocations(t.Context())
		require.NoError(t, err)
		require.Zero(t, n)
		return nil
	}))
	require.True(t, hasKey(t, db, "a"))
}

func TestTxRollsBack(t *testing.T) {
	t.Parallel()
	refusal := errors.New("no")
	for name, tt := range map[string]struct {
		fn   func(ctx context.Context, q *store.Queries) error
		want error
	}{
		"before anything was sent": {func(ctx context.Context, q *store.Queries) error {
			return errors.Join(q.PutIdempotencyKey(ctx, putKey("a")), refusal)
		}, refusal},
		"after a statement": {func(ctx context.Context, q *store.Queries) error {
			err := q.PutIdempotencyKey(ctx, putKey("a"))
			_, listErr := q.ListChains(ctx, store.ListChainsParams{PageSize: 1})
			return errors.Join(err, listErr, refusal)
		}, refusal},
		"a failed statement that fn did not mind": {func(ctx context.Context, q *store.Queries) error {
			err := q.PutIdempotencyKey(ctx, putKey("a"))
			_, _ = q.ListChains(ctx, store.ListChainsParams{PageSize: -1})
			return err
		}, pgx.ErrTxCommitRollback},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := storetest.New(t)
			err := db.Tx(t.Context(), func(q *store.Queries) error { return tt.fn(t.Context(), q) })
			require.ErrorIs(t, err, tt.want)
			require.False(t, hasKey(t, db, "a"))
			require.Zero(t, db.Pool.Stat().AcquiredConns())
		})
	}
}

// What waits fails where it is sent: at the next statement, or at COMMIT.
func TestTxReportsLateErrors(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	absent := store.InsertModelCallParams{RunID: 404, Step: 1, TemporalRunID: "t", Attempt: 1} // no such run: 23503
	for name, then := range map[string]func(q *store.Queries) error{
		"at commit": func(*store.Queries) error { return nil },
		"at a row":  func(q *store.Queries) error { _, err := q.GetChain(t.Context(), "system"); return err },
		"at rows": func(q *store.Queries) error {
			_, err := q.ListChains(t.Context(), store.ListChainsParams{})
			return err
		},
		"at a count": func(q *store.Queries) error { _, err := q.DeleteExpiredRevocations(t.Context()); return err },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := db.Tx(t.Context(), func(q *store.Queries) error {
				require.NoError(t, q.PutIdempotencyKey(t.Context(), putKey(name)))
				require.NoError(t, q.InsertModelCall(t.Context(), absent))
				return then(q)
			})
			require.ErrorContains(t, err, "23503")
			require.False(t, hasKey(t, db, name))
		})
	}
}

func TestTxEndsWithItsContext(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	ctx, cancel := context.WithCancel(t.Context())
	err := db.Tx(ctx, func(q *store.Queries) error {
		require.NoError(t, q.PutIdempotencyKey(ctx, putKey("a")))
		_, err := q.ListChains(ctx, store.ListChainsParams{PageSize: 1})
		cancel()
		return err
	})
	require.ErrorIs(t, err, context.Canceled)
	require.False(t, hasKey(t, db, "a"))
	require.Eventually(t, func() bool { return db.Pool.Stat().AcquiredConns() == 0 }, 5*time.Second, time.Millisecond)
}
