package statement_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/connector/postgres/statement"
)

// Tables may be called as functions are.
func TestTablesAreNoCalls(t *testing.T) {
	t.Parallel()
	for _, sql := range []string{
		"INSERT INTO cron_jobs (name) VALUES ($1)", "INSERT INTO public.http_logs (url) VALUES ($1)", `INSERT INTO "http_requests" (url) VALUES ($1)`,
		`insert into shop."public".lo_orders(a) values (1)`, "INSERT INTO brin_sizes (a) SELECT 1", "INSERT INTO crontab (a) VALUES (1)", "INSERT INTO cron.runs (a) VALUES (1)",
		"INSERT INTO http (a) VALUES (1)", "INSERT INTO schedule (day) VALUES ($1)", "INSERT INTO x WITH lo_a (n) AS (SELECT 1) SELECT n FROM lo_a",
		"UPDATE cron_jobs SET http_code = 1 WHERE http_code IN (2)", "INSERT INTO x SELECT http_status_text(1), cron_next('x')",
	} {
		require.NoError(t, statement.Change(sql), sql)
	}
	for _, sql := range []string{
		"WITH http_stats (code, n) AS (SELECT code, count(*) FROM l GROUP BY 1) SELECT * FROM http_stats",
		"WITH RECURSIVE a AS (SELECT (1)), lo_b (n) AS NOT MATERIALIZED (SELECT 1), brin_c (n) AS MATERIALIZED (SELECT 2) SELECT 1",
		"SELECT * FROM (WITH lo_a (n) AS (SELECT 1) SELECT n FROM lo_a) b", `WITH recursive (lo_n) AS (SELECT 1) SELECT 1`, "SELECT * FROM cron_jobs",
	} {
		require.NoError(t, statement.Query(sql), sql)
	}
}

func TestCallsBesideTablesAreRefused(t *testing.T) {
	t.Parallel()
	for _, sql := range []string{
		"INSERT INTO t SELECT http_get('x')", "INSERT INTO t (a) VALUES (http_post('x', 'y', 'z'))", "INSERT INTO t SELECT * FROM http((1)::x)", "INSERT INTO cron_jobs (a) VALUES (lo_import('x'))",
		"INSERT INTO http_logs (a) SELECT public.http_delete('x')", "INSERT INTO t SELECT cron.schedule('a', 'b')", `INSERT INTO t SELECT "cron"."anything"(1)`, "UPDATE t SET a = unschedule(1)",
		"INSERT INTO t SELECT into.http_get('x')", "INSERT INTO t WITH a (n) AS (SELECT lo_unlink(1)) SELECT 1", "MERGE INTO lo_unlink (1) USING y ON true WHEN MATCHED THEN DELETE",
		"DELETE FROM t USING net.http_get('x')",
	} {
		require.Error(t, statement.Change(sql), sql)
	}
	for _, sql := range []string{
		"SELECT * FROM http_get('x') AS (status int)", "SELECT * FROM a, http_get(b) AS (status int)", "WITH a AS (SELECT 1) SELECT * FROM a, http_get(b) AS (status int)",
		"SELECT * FROM f() WITH ORDINALITY AS (a int), http_get(b) AS (c int)", "WITH a (n) AS (SELECT http_get('x')), lo_b (n) AS (SELECT lo_unlink(n)) SELECT 1",
		"WITH a AS (SELECT 1), lo_unlink(n) SELECT 1", "WITH a AS (SELECT 1) SEARCH DEPTH FIRST BY n SET s, lo_b (n) AS (SELECT 1) SELECT 1",
		"SELECT 1 AS with, http_get(b) AS (c int)", "SELECT a.with, lo_unlink(1)", `SELECT * FROM "with", lo_unlink(n) AS (a int)`, "SELECT set_config('a', 'b', false)",
		"SELECT cron.alter_job(1)", "SELECT schedule_in_database('a', 'b', 'c', 'd')", "SELECT http_set_curlopt('a', 'b')",
		"WITH lo_a (n", "WITH a (n) AS (SELECT lo_unlink(1)",
	} {
		require.Error(t, statement.Query(sql), sql)
	}
}
