package main

import (
	"io"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"
)

func TestRepeatedStatements(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		statement, code string
		want            bool
	}{
		{"DROP INDEX by_type_start_time;", "42704", true},
		{"  drop table t", "42P01", true},
		{"ALTER TABLE t DROP COLUMN c;", "42703", true},
		{"INSERT INTO t (c) VALUES (1)", "23505", true},
		{"DROP TABLE t", "42501", false},
		{"ALTER TABLE t ADD COLUMN c int", "42P01", false},
		{"CREATE INDEX drop_it ON t (c)", "42703", false},
		{"INSERT INTO t (c) VALUES (' DROP ')", "42P01", false},
		{"CREATE UNIQUE INDEX i ON t (c)", "23505", false},
	} {
		require.Equal(t, test.want, wasDone(test.statement, &pgconn.PgError{Code: test.code}), test.statement)
	}
	require.False(t, wasDone("DROP TABLE t", io.EOF))
	require.False(t, wasDone("DROP TABLE t", nil))
}
