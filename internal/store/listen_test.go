package store_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"steward/internal/store"
	"steward/internal/storetest"
)

// heard is what a listener was told, in order: a change, or that it hears or does not.
type heard struct {
	change store.Change
	up     *bool
}

func listen(t *testing.T, db *store.DB) <-chan heard {
	t.Helper()
	all := make(chan heard, 100)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- db.Listen(ctx, slog.New(slog.DiscardHandler), func(c store.Change) { all <- heard{change: c} }, func(up bool) { all <- heard{up: &up} })
	}()
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-ended, "it ends with its context, and well")
	})
	return all
}

func next(t *testing.T, all <-chan heard) heard {
	t.Helper()
	select {
	case h := <-all:
		return h
	case <-time.After(20 * time.Second):
		require.FailNow(t, "nothing was heard")
		return heard{}
	}
}

func TestChangesAreHeardWhenTheyAreCommitted(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	all := listen(t, db)
	require.True(t, *next(t, all).up)
	undone := errors.New("undone")
	require.ErrorIs(t, db.Tx(t.Context(), func(q *store.Queries) error {
		require.NoError(t, q.Announce(t.Context(), store.Change{Kind: store.ServerChanged, Server: 1}))
		_, err := q.ListServersForUser(t.Context(), "alice") // the announcement is on its way
		require.NoError(t, err)
		return undone
	}), undone)
	want := store.Change{Kind: store.SecretChanged, Owner: "alice", Server: 2, Version: 3}
	require.NoError(t, db.Tx(t.Context(), func(q *store.Queries) error { return q.Announce(t.Context(), want) }))
	require.Equal(t, want, next(t, all).change, "and what was rolled back nobody hears")
}

func TestListenersComeBack(t *testing.T) {
	t.Parallel()
	url, superuser := storetest.URLs(t)
	db, err := store.Open(t.Context(), url, 4)
	require.NoError(t, err)
	t.Cleanup(db.Close)
	all := listen(t, db)
	require.True(t, *next(t, all).up)

	conn, err := pgx.Connect(t.Context(), superuser.Reveal())
	require.NoError(t, err)
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	_, err = conn.Exec(t.Context(), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'")
	require.NoError(t, err)
	require.False(t, *next(t, all).up, "what is in memory must not be believed")
	require.True(t, *next(t, all).up)

	_, err = conn.Exec(t.Context(), "SELECT pg_notify('steward_changes', 'what a later release says')")
	require.NoError(t, err)
	require.True(t, *next(t, all).up, "whatever it is, everything is read anew")
	require.NoError(t, db.Announce(t.Context(), store.Change{Kind: store.ServerChanged, Server: 7}))
	require.EqualValues(t, 7, next(t, all).change.Server)
}
