package postgres_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"steward/internal/connector/postgres"
)

// stateSQL is everything that a statement could have changed: rows, relations, sequences, large objects, settings, locks
// that are held on, and the server's own files.
const stateSQL = `SELECT jsonb_build_object(
	'campaigns', (SELECT jsonb_agg(c ORDER BY id) FROM campaigns c), 'ads', (SELECT jsonb_agg(a ORDER BY id) FROM ads a),
	'hidden', (SELECT count(*) FROM hidden), 'counter', (SELECT jsonb_build_array(last_value, is_called) FROM counter),
	'relations', (SELECT jsonb_agg(relname ORDER BY oid) FROM pg_class WHERE relpersistence <> 't' AND relnamespace = 'public'::regnamespace),
	'functions', (SELECT count(*) FROM pg_proc), 'objects', (SELECT count(*) FROM pg_largeobject_metadata),
	'settings', (SELECT count(*) FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase WHERE d.datname = current_database()), 'slots', (SELECT count(*) FROM pg_replication_slots),
	'prepared', (SELECT count(*) FROM pg_prepared_xacts),
	'locks', (SELECT count(*) FROM pg_locks l WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())),
	'snapshots', (SELECT count(*) FROM pg_ls_dir('pg_snapshots')), 'files', (SELECT jsonb_agg(f ORDER BY f) FROM pg_ls_dir('.') f WHERE f NOT LIKE 'server.%')
)::text`

// T-09: what is said to read and does something else. Each of these goes through the tool and, as the database is the
// wall, past package statement as well, as a role that may only read and as the one that owns everything.
func TestT09QueriesThatDoSomethingElseChangeNothing(t *testing.T) {
	t.Parallel()
	folder, err := os.MkdirTemp("", "steward-t09-") // where also the server's user could write
	require.NoError(t, err)
	require.NoError(t, os.Chmod(folder, 0o777))
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(folder)) })
	file := filepath.Join(folder, "canary")
	for _, role := range []string{reader, owner} { //nolint:paralleltest // one after the other: slots and snapshots are the whole cluster's
		t.Run(role, func(t *testing.T) {
			p := newPlace(t)
			p.exec(`CREATE FUNCTION wipe() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'DELETE FROM campaigns RETURNING 1';
				CREATE VIEW wiping AS SELECT wipe()`)
			p.exec("GRANT SELECT ON wiping TO reader, owner")
			s, err := cluster()
			require.NoError(t, err)
			config, err := pgx.ParseConfig(s.URL(p.name, role, password).Reveal())
			require.NoError(t, err)
			heard := 0
			config.OnNotification = func(*pgconn.PgConn, *pgconn.Notification) { heard++ }
			bystander, err := pgx.ConnectConfig(t.Context(), config) // another session of the same account
			require.NoError(t, err)
			_, err = bystander.Exec(t.Context(), "LISTEN news")
			require.NoError(t, err)
			link := p.as(role)
			before := p.one(stateSQL)
			check := func(sql string) {
				require.Equal(t, before, p.one(stateSQL), sql)
				require.NoFileExists(t, file, sql)
				require.NoError(t, bystander.Ping(t.Context()), sql)
			}
			for _, sql := range changing(file) {
				_, err := query(t, link, sql)
				require.Error(t, err, sql)
				require.False(t, failure(t, err).Ran)
				check(sql)
				_ = postgres.Raw(t.Context(), link, sql) // what stands alone may well succeed, and is rolled back
				check(sql)
			}
			for _, sql := range sideways(bystander.PgConn().PID()) {
				_, err := query(t, link, sql)
				require.True(t, failure(t, err).Answered, sql)
				check(sql)
			}
			require.NoError(t, bystander.Ping(t.Context()))
			require.Zero(t, heard)
			require.NoError(t, bystander.Close(t.Context()))
		})
	}
}

// changing are statements that the database itself keeps from changing anything.
func changing(file string) []string {
	return []string{
		"COMMIT; DELETE FROM campaigns", "SELECT 1; DELETE FROM campaigns", "DELETE FROM campaigns", "INSERT INTO hidden VALUES ('x')",
		"UPDATE campaigns SET spend = 0", "TRUNCATE campaigns", "DROP TABLE campaigns CASCADE", "CREATE TABLE made (id int)", "ALTER TABLE campaigns ADD x int",
		"COMMIT", "ROLLBACK", "BEGIN READ WRITE", "SET TRANSACTION READ WRITE", "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE",
		"SET default_transaction_read_only = off", "RESET ALL", "PREPARE TRANSACTION 'x'", "PREPARE p AS DELETE FROM campaigns",
		"SELECT * INTO made FROM campaigns", "CREATE TABLE made AS SELECT 1", "SELECT * FROM campaigns FOR UPDATE", "SELECT * FROM campaigns FOR NO KEY UPDATE",
		"WITH gone AS (DELETE FROM campaigns RETURNING *) SELECT * FROM gone", "WITH x AS (SELECT 1) DELETE FROM campaigns",
		"WITH x AS (SELECT 1) INSERT INTO ads SELECT 9, 1, 'x'", "EXPLAIN ANALYZE DELETE FROM campaigns", "EXPLAIN (ANALYZE, VERBOSE) DELETE FROM campaigns",
		"EXPLAIN (ANALYZE) SELECT wipe()", "DO $$ BEGIN DELETE FROM campaigns; END $$", "CALL wipe()", "SELECT wipe()", "SELECT * FROM wiping",
		"SELECT set_config('transaction_read_only', 'off', false)", "SELECT nextval('counter')", "SELECT setval('counter', 99)",
		"SELECT pg_advisory_lock(1)", "SELECT pg_notify('news', 'x')", "NOTIFY news", "LISTEN news", "LOCK TABLE campaigns",
		"SELECT lo_create(4711)", "SELECT lo_from_bytea(0, 'x')", fmt.Sprintf("SELECT lo_export(1, '%s')", file), fmt.Sprintf("SELECT lo_import('%s')", "/etc/passwd"),
		"SELECT pg_read_file('/etc/passwd')", "SELECT pg_ls_dir('/')", fmt.Sprintf("COPY campaigns TO PROGRAM 'touch %s'", file),
		fmt.Sprintf("COPY campaigns TO '%s'", file), "SELECT pg_reload_conf()", "SELECT pg_export_snapshot()", "SELECT pg_switch_wal()",
		"SELECT pg_create_physical_replication_slot('x')", "SELECT query_to_xml('DELETE FROM campaigns', true, true, '')", //nolint:dupword // two arguments
		"SELECT dblink_exec('host=10.0.0.5', 'DELETE FROM campaigns')", "CREATE EXTENSION dblink", "SECURITY LABEL ON TABLE campaigns IS 'x'",
		"ALTER ROLE CURRENT_USER SET search_path = x", "GRANT ALL ON campaigns TO PUBLIC", "VACUUM", "REINDEX TABLE campaigns", "CHECKPOINT", "DISCARD ALL",
	}
}

// sideways are functions that no transaction takes back: package statement alone stops them.
func sideways(pid uint32) []string {
	return []string{
		fmt.Sprintf("SELECT pg_terminate_backend(%d)", pid), fmt.Sprintf(`SELECT "pg_terminate_backend" /* */ (%d)`, pid),
		fmt.Sprintf("SELECT pg_catalog.PG_CANCEL_BACKEND\n(%d)", pid), fmt.Sprintf(`SELECT U&"pg_t\0065rminate_backend"(%d)`, pid),
		"SELECT pg_sleep(3600)", "SELECT pg_sleep_for('1 hour')", "SELECT pg_logical_emit_message(false, 'x', 'y')", "SELECT pg_try_advisory_lock_shared(1)",
		"SELECT pg_stat_reset()", "COPY campaigns FROM STDIN", "COPY campaigns TO STDOUT", "", ";", "--", "/* SELECT 1",
	}
}

func TestFunctionThatHidesItsFailureChangesNothing(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.exec(`CREATE FUNCTION wipe_quietly() RETURNS int LANGUAGE plpgsql SECURITY DEFINER AS
		'BEGIN PERFORM set_config(''transaction_read_only'', ''off'', true); DELETE FROM campaigns; RETURN 1; EXCEPTION WHEN OTHERS THEN RETURN 0; END'`)
	got, err := query(t, p.as(owner), "SELECT wipe_quietly() AS v")
	require.NoError(t, err)
	require.Equal(t, map[string]any{"v": 0.0}, got.Rows[0])
	require.Equal(t, "2", p.one("SELECT count(*)::text FROM campaigns"))
}

// What a statement leaves in its session is gone before the next, which is on the same connection.
func TestNothingStaysInTheSession(t *testing.T) {
	t.Parallel()
	link := newPlace(t).as(owner)
	for _, sql := range []string{
		"SELECT set_config('search_path', 'elsewhere', false)", "SELECT pg_advisory_lock(7)", "PREPARE p AS SELECT 1", "CREATE TEMP TABLE campaigns (x int)",
		"DECLARE c CURSOR WITH HOLD FOR SELECT 1", "SET standard_conforming_strings = off", "SET ROLE reader", "LISTEN news",
	} {
		_ = postgres.Raw(t.Context(), link, sql)
	}
	got, err := query(t, link, `SELECT current_setting('search_path') AS path, current_user AS who, current_setting('standard_conforming_strings') AS strings,
		(SELECT count(*) FROM pg_prepared_statements) + (SELECT count(*) FROM pg_cursors WHERE name <> '') + (SELECT count(*) FROM pg_listening_channels())
		+ (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()) AS left, (SELECT count(*) FROM campaigns) AS campaigns`)
	require.NoError(t, err)
	require.Equal(t, map[string]any{"path": `"$user", public`, "who": owner, "strings": "on", "left": 0.0, "campaigns": 2.0}, got.Rows[0])
	require.Equal(t, 1, postgres.Conns(link))
}

// A role's own settings cannot make quotes end elsewhere.
func TestStringsAreReadAsTheServerReadsThem(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.exec(fmt.Sprintf("ALTER ROLE reader IN DATABASE %s SET standard_conforming_strings = off", p.name))
	got, err := query(t, p.as(reader), `SELECT '\' AS a, 'b' AS b`)
	require.NoError(t, err)
	require.Equal(t, map[string]any{"a": `\`, "b": "b"}, got.Rows[0])
}

func TestMightyAccountsAreRefusedWithAdvice(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	for name, might := range map[string]string{
		"superuser":   "SUPERUSER",
		"replication": "REPLICATION",
		"bypassrls":   "BYPASSRLS",
		"createrole":  "CREATEROLE",
		"writes":      "IN ROLE pg_write_all_data",
		"program":     "IN ROLE pg_execute_server_program",
		"files":       "IN ROLE pg_write_server_files",
		"reads":       "IN ROLE pg_read_server_files",
		"signal":      "IN ROLE pg_signal_backend",
		"becomes":     "NOINHERIT IN ROLE steward_admin",
	} {
		role := p.name + "_" + name
		p.exec(fmt.Sprintf("CREATE ROLE %s LOGIN PASSWORD '%s' %s", role, password.Reveal(), might))
		t.Cleanup(func() { p.exec("DROP ROLE " + role) })
		form := p.form(role)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			link := open(t, form, plainDial)
			e := failure(t, link.Test(t.Context()))
			require.True(t, e.Answered)
			require.Contains(t, e.Reason, "CREATE ROLE steward_reader")
			require.NotContains(t, e.Reason, password.Reveal())
			_, err := query(t, link, "SELECT 1")
			require.Contains(t, failure(t, err).Reason, "more than tools may use")
		})
	}
	for _, role := range []string{reader, owner} {
		require.NoError(t, p.as(role).Test(t.Context()))
	}
}

// An account that becomes mighty after it was tested is refused at the next connection.
func TestAccountThatBecameMighty(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	role := p.name + "_later"
	p.exec(fmt.Sprintf("CREATE ROLE %s LOGIN PASSWORD '%s'", role, password.Reveal()))
	t.Cleanup(func() { p.exec("DROP ROLE " + role) })
	require.NoError(t, p.as(role).Test(t.Context()))
	old, link := p.as(role), p.as(role)
	require.NoError(t, old.Test(t.Context()))
	p.exec("ALTER ROLE " + role + " SUPERUSER")
	require.Contains(t, failure(t, old.Test(t.Context())).Reason, "a superuser", "also on a connection that is there already")
	old.Close()
	_, err := query(t, link, "SELECT 1")
	require.Contains(t, failure(t, err).Reason, "a superuser")
	link.Close()
}
