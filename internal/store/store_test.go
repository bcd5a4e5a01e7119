package store_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"steward/internal/secret"
	"steward/internal/store"
	"steward/internal/storetest"
)

func TestAuditAppendNumbersWithoutGapsUnderConcurrency(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	var g errgroup.Group
	for i := range 200 {
		g.Go(func() error { // every key is written twice
			_, err := db.AppendAudit(t.Context(), store.AppendAuditParams{
				Chain: "run/1", EventKey: fmt.Sprint(i / 2), Kind: "k", Actor: "a", Body: "{}",
			})
			return err
		})
	}
	require.NoError(t, g.Wait())
	events, err := db.ListAudit(t.Context(), store.ListAuditParams{Chain: "run/1", PageSize: 1000})
	require.NoError(t, err)
	require.Len(t, events, 100)
	for i, e := range events {
		require.EqualValues(t, i+1, e.Seq)
	}
}

func TestApplicationCannotRewriteAudit(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	_, err := db.AppendAudit(t.Context(), store.AppendAuditParams{Chain: "system", EventKey: "1", Kind: "k", Actor: "a", Body: "{}"})
	require.NoError(t, err)
	for _, sql := range []string{
		"UPDATE audit_events SET body = '{}'", "DELETE FROM audit_events", "TRUNCATE audit_events",
		"UPDATE audit_chains SET seq = 0", "DELETE FROM audit_chains",
		"INSERT INTO audit_events (chain, seq, event_key, at, kind, actor, body, hash) VALUES ('system', 2, 'x', now(), 'k', 'a', '{}', '')",
		"DROP TABLE audit_events", "ALTER TABLE audit_events DISABLE TRIGGER ALL",
	} {
		_, err := db.Pool.Exec(t.Context(), sql)
		e, ok := errors.AsType[*pgconn.PgError](err)
		require.True(t, ok, sql)
		require.Equal(t, "42501", e.Code, sql) // insufficient_privilege
	}
}

func TestUnavailable(t *testing.T) {
	t.Parallel()
	db, err := store.Open(t.Context(), secret.New("postgres://steward:x@127.0.0.1:1/steward?sslmode=disable"), 2)
	require.NoError(t, err)
	t.Cleanup(db.Close)
	_, err = db.ListChains(t.Context(), store.ListChainsParams{PageSize: 1})
	require.Error(t, err)
	require.True(t, store.IsUnavailable(err), "%v", err)
	require.False(t, store.IsUnavailable(errors.New("other")))
	require.False(t, store.IsUnavailable(nil))
	require.True(t, store.IsUnavailable(context.DeadlineExceeded))
}

func TestBadURLNamesNoSecret(t *testing.T) {
	t.Parallel()
	_, err := store.Open(t.Context(), secret.New("postgres://u:hunter2@host:notaport/db"), 1)
	require.Error(t, err)
	require.NotContains(t, err.Error(), "hunter2")
}
