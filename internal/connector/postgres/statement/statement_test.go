package statement_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/connector/postgres/statement"
)

func TestQuery(t *testing.T) {
	t.Parallel()
	for _, sql := range []string{
		"SELECT 1", "select 1;", " SELECT 1 ; ; ", "-- note\nSELECT 1", "/* a /* b */ ; */ SELECT 1", "SELECT ';'", "SELECT 'it''s; x'", `SELECT E'\'; DELETE FROM x'`,
		"SELECT $$; DELETE FROM x $$", "SELECT $a$ $$ ; $b$ $a$", `SELECT ";" FROM "a;""b"`, "SELECT 1 -- ; DROP", "VALUES (1)", "TABLE x", "(SELECT 1) UNION SELECT 2",
		"WITH a AS (SELECT 1), b AS MATERIALIZED (SELECT 2) SELECT * FROM a", "SELECT update, delete FROM x", "SELECT (insert), count(delete) FROM x",
		"SELECT substring(a FOR 3), substring(a FOR key) FROM x", "SELECT 'INTO', \"into\" FROM x", "SELECT a$b, $1 FROM x", "SELECT 1E5, 0x1F, 1.5e-3",
		"SHOW search_path", "SHOW ALL", "SHOW a.b", "EXPLAIN SELECT 1", "EXPLAIN VERBOSE SELECT 1", "EXPLAIN (COSTS off, FORMAT json) SELECT 1", "EXPLAIN (SELECT 1)",
		"EXPLAIN ((SELECT 1) UNION SELECT 2)", "SELECT 'Grüße', größe FROM x", "SELECT pg_size_pretty(1), sleep(1)", "SELECT pg_sleep", "SELECT B'1', N'x', X'1F'",
		"SELECT a FROM t WHERE a @> '{}' AND b ?| array['x'] AND c #>> '{a}' = 'b'", "SELECT 1*/**/2", "SELECT fooE'x'",
	} {
		require.NoError(t, statement.Query(sql), sql)
	}
	for _, sql := range []string{
		"", " ; ", "--", "/* */", "SELECT 1; SELECT 2", "SELECT 1;;DELETE FROM x", "SELECT '", `SELECT "`, "SELECT $$", "SELECT $a$ $b$", "/* /* */ SELECT 1", `SELECT E'\'`,
		`SELECT '\'; DELETE FROM x --'`, "SELECT fooE'\\'; DELETE FROM x --'", `SELECT 1E'\''; DELETE FROM x --'`, "SELECT $1$; DELETE FROM x; SELECT $1$",
		"SELECT a$$; DELETE FROM x; SELECT b$$", "SELECT U&'x'", `SELECT u&"\0061"`, "SELECT 1\x00", "SELECT '\xff'",
		"DELETE FROM x", "INSERT INTO x VALUES (1)", "UPDATE x SET a = 1", "MERGE INTO x USING y ON true WHEN MATCHED THEN DELETE", "COPY x TO PROGRAM 'id'", "DO $$ $$",
		"CALL f()", "SET a = 1", "BEGIN", "COMMIT", "PREPARE a AS SELECT 1", "EXECUTE a", "DECLARE c CURSOR FOR SELECT 1", "LISTEN a", "VACUUM", "CREATE TABLE x ()", "1", "(", "\"select\" 1",
		"SELECT 1 INTO x", "SELECT * FROM x FOR UPDATE", "SELECT * FROM x FOR NO KEY UPDATE", "SELECT * FROM x FOR KEY SHARE", "SELECT * FROM x FOR/**/SHARE OF x",
		"WITH a AS (DELETE FROM x RETURNING *) SELECT * FROM a", "WITH a AS (SELECT 1) DELETE FROM x", "WITH a AS ( /* */ UPDATE x SET a = 1 RETURNING 1) SELECT 1",
		"WITH a AS (WITH b AS (SELECT 1) DELETE FROM x RETURNING 1) SELECT 1", "(WITH a AS (SELECT 1) INSERT INTO x SELECT 1)", `WITH a AS (UPDATE "x" SET a = 1) TABLE a`,
		"SHOW (SELECT 1)", "SHOW a; DELETE FROM x", "EXPLAIN", "EXPLAIN ANALYZE SELECT 1", "EXPLAIN ANALYSE SELECT 1", "EXPLAIN VERBOSE ANALYZE SELECT 1",
		"EXPLAIN (ANALYZE) SELECT 1", "EXPLAIN (ANALYZE false) SELECT 1", "EXPLAIN (\"analyze\") SELECT 1", "EXPLAIN (COSTS, ANALYZE on) SELECT 1", "EXPLAIN (COSTS",
		"EXPLAIN DELETE FROM x", "EXPLAIN EXECUTE a", "EXPLAIN (COSTS) DELETE FROM x", "EXPLAIN ()",
		"SELECT pg_sleep(1)", "SELECT PG_SLEEP (1)", `SELECT "pg_sleep"/**/(1)`, "SELECT pg_catalog.pg_sleep(1)", "SELECT pg_terminate_backend(1)", "SELECT set_config('a', 'b', false)",
		"SELECT nextval('x')", "SELECT * FROM dblink('a', 'b') AS t(x int)", "SELECT lo_export(1, 'x')", "SELECT pg_advisory_lock(1)", "SELECT pg_read_file('x')",
		"SELECT (SELECT pg_notify('a', 'b'))", "VALUES (pg_reload_conf())", "SELECT query_to_xml('DELETE FROM x', true, true, '')", //nolint:dupword // two arguments
	} {
		require.Error(t, statement.Query(sql), sql)
	}
}

func TestChange(t *testing.T) {
	t.Parallel()
	for _, sql := range []string{
		"INSERT INTO x VALUES ($1, ';')", "update x set a = 1;", "DELETE FROM x", "MERGE INTO x USING y ON true WHEN MATCHED THEN DELETE", "INSERT INTO x VALUES (nextval('s')) RETURNING *",
		"DELETE FROM x WHERE note = 'steward_calls'",
	} {
		require.NoError(t, statement.Change(sql), sql)
	}
	for _, sql := range []string{
		"", "SELECT 1", "WITH a AS (SELECT 1) DELETE FROM x", "TRUNCATE x", "DELETE FROM x; DELETE FROM y", "EXPLAIN ANALYZE DELETE FROM x", "DELETE FROM steward_calls",
		`UPDATE public."steward_calls" SET a = 1`, "INSERT INTO x SELECT 1 FROM Steward_Calls", "INSERT INTO x SELECT pg_terminate_backend(1)", "UPDATE x SET a = dblink_exec('a', 'b')",
		"DELETE FROM x WHERE set_config('a', 'b', false) = ''",
	} {
		require.Error(t, statement.Change(sql), sql)
	}
}

// FuzzQuery: whatever stands in quotes or a comment is no statement, and behind what was accepted there is no room for
// a second one.
func FuzzQuery(f *testing.F) {
	for _, seed := range []string{
		"SELECT 1", "'; DELETE FROM x; --", "*/ ; /*", "$$", "$a$", `\`, `\'`, "E'\\''", "--\n", "U&'", "1E'", "a$$", "\"\"", "/*/* */", "WITH a AS (DELETE FROM x) SELECT 1",
		"EXPLAIN (ANALYZE) SELECT 1", "SELECT pg_sleep(1)", "$1$", "\v", "\xa0", "' '",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if statement.Query(s) == nil {
			require.Error(t, statement.Query(s+"\n; DELETE FROM x"))
			require.Error(t, statement.Query(s+"\n; SELECT 1"))
			require.Error(t, statement.Change(s))
		}
		if strings.ContainsRune(s, 0) || strings.ToValidUTF8(s, "?") != s {
			require.Error(t, statement.Query(s))
			return
		}
		require.NoError(t, statement.Query("SELECT '"+strings.ReplaceAll(s, "'", "''")+"'"))
		require.NoError(t, statement.Query("SELECT E'"+strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s)+"'"))
		require.NoError(t, statement.Query(`SELECT 1 AS "a`+strings.ReplaceAll(s, `"`, `""`)+`"`))
		require.NoError(t, statement.Query("SELECT $steward$"+strings.ReplaceAll(s, "$", "")+"$steward$"))
		require.NoError(t, statement.Query("-- "+strings.NewReplacer("\n", "", "\r", "").Replace(s)+"\nSELECT 1"))
		require.NoError(t, statement.Query("/* "+strings.NewReplacer("/", "", "*", "").Replace(s)+" */ SELECT 1"))
	})
}
