package mysql_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/dev/counterpart/mariadb"
	"steward/internal/connector"
	"steward/internal/connector/mysql"
)

// target is a database with all that an attack could change, for an account that may do anything in it.
func target(t *testing.T) (*mariadb.Database, mariadb.Account) {
	d := mariadb.New(t)
	d.Exec("CREATE TABLE "+d.Name+".t (n INT) ENGINE=InnoDB", "CREATE TABLE "+d.Name+".fleeting (n INT) ENGINE=MyISAM", "CREATE SEQUENCE "+d.Name+".s",
		"INSERT INTO "+d.Name+".t VALUES (1), (2)", "INSERT INTO "+d.Name+".fleeting VALUES (1), (2)")
	owner := d.Account("ALL ON %s.*")
	d.Exec("CREATE DEFINER='"+owner.Username+"'@'%' FUNCTION "+d.Name+".sneak() RETURNS INT BEGIN DELETE FROM "+d.Name+".t; RETURN 1; END",
		"CREATE DEFINER='"+owner.Username+"'@'%' FUNCTION "+d.Name+".unlock() RETURNS INT BEGIN SET SESSION tx_read_only = 0; RETURN 1; END",
		"CREATE DEFINER='"+owner.Username+"'@'%' PROCEDURE "+d.Name+".p() BEGIN DELETE FROM "+d.Name+".t; END")
	return d, owner
}

func state(d *mariadb.Database) string {
	return d.Text("SELECT CONCAT_WS('/', (SELECT GROUP_CONCAT(n) FROM " + d.Name + ".t), (SELECT GROUP_CONCAT(n) FROM " + d.Name + ".fleeting), " +
		"(SELECT next_not_cached_value FROM " + d.Name + ".s), " +
		"(SELECT GROUP_CONCAT(table_name ORDER BY table_name) FROM information_schema.tables WHERE table_schema = '" + d.Name + "'), " +
		"(SELECT GROUP_CONCAT(column_name) FROM information_schema.columns WHERE table_schema = '" + d.Name + "' AND table_name = 't'))")
}

// attacks change something, or would if they could (T-10). file stands for one that must not come about.
func attacks(file string) []string {
	return []string{
		"DELETE FROM t", "INSERT INTO t VALUES (3)", "UPDATE t SET n = 9", "REPLACE INTO t VALUES (9)", "TRUNCATE TABLE t", "DROP TABLE t", "DROP TABLE fleeting", "ALTER TABLE t ADD x INT",
		"CREATE TABLE made (n INT)", "CREATE TABLE made AS SELECT * FROM t", "CREATE TEMPORARY TABLE made (n INT)", "RENAME TABLE t TO u", "DELETE FROM fleeting", "INSERT INTO fleeting VALUES (3)",
		"CALL p()", "SELECT sneak()", "EXPLAIN DELETE FROM t", "ANALYZE DELETE FROM t", "SELECT NEXTVAL(s)", "SELECT NEXT VALUE FOR s", "SELECT SETVAL(s, 100)",
		"SELECT 1; DROP TABLE t", "SELECT 1; SET SESSION tx_read_only = 0; DROP TABLE t", "COMMIT; DELETE FROM t", "/*! DELETE FROM t */", "/*M! DROP TABLE t */", "/*!50000 DROP TABLE t */",
		"SELECT 1 INTO OUTFILE '" + file + "'", "SELECT 1 INTO DUMPFILE '" + file + "'", "SELECT 1 /*! INTO OUTFILE '" + file + "' */", "TABLE t INTO OUTFILE '" + file + "'",
		"SELECT LOAD_FILE('/etc/passwd') INTO OUTFILE '" + file + "'", "LOAD DATA LOCAL INFILE '/etc/passwd' INTO TABLE t", "LOAD DATA INFILE '/etc/passwd' INTO TABLE t",
		"EXECUTE IMMEDIATE 'DROP TABLE t'", "SET STATEMENT tx_read_only = 0 FOR DELETE FROM t", "WITH a AS (SELECT 1) DELETE FROM t", "BEGIN NOT ATOMIC DROP TABLE t; END", "OPTIMIZE TABLE fleeting",
		"SELECT `sneak`()", "SELECT * FROM t WHERE n = sneak()", "VALUES (sneak())", "DO sneak()", "HANDLER t OPEN", "LOCK TABLES t WRITE", "CREATE VIEW v AS SELECT 1", "DROP DATABASE IF EXISTS steward_nowhere",
	}
}

// first are steps before an attack that would open a session, were it the same one.
var first = []string{
	"SET SESSION tx_read_only = 0", "SET SESSION TRANSACTION READ WRITE", "SET @@session.tx_read_only = 0", "COMMIT", "ROLLBACK", "START TRANSACTION READ WRITE", "SET autocommit = 1",
	"SELECT unlock()", "SET sql_mode = 'ANSI_QUOTES'", "SELECT GET_LOCK('mine', 1)", "PREPARE x FROM 'DROP TABLE t'",
}

func TestT10(t *testing.T) {
	t.Parallel()
	d, owner := target(t)
	before := state(d)
	for who, account := range map[string]mariadb.Account{"owner": owner, "reader": d.Account("SELECT, EXECUTE ON %s.*")} {
		c := connect(t, d, account)
		file := filepath.Join(os.TempDir(), "steward-"+d.Name+"-"+who)
		walls := map[string]func(string) error{
			"both walls":         func(statement string) error { _, err := c.query(statement); return err },
			"the database alone": func(statement string) error { return mysql.Unchecked(t.Context(), c.link, statement) },
		}
		for wall, try := range walls {
			for _, attack := range attacks(file) {
				err := try(attack)
				require.Equal(t, before, state(d), "%s as %s: %s", wall, who, attack)
				require.NoFileExists(t, file, "%s as %s: %s", wall, who, attack)
				if wall == "both walls" {
					require.Error(t, err, attack)
				}
			}
			for _, step := range first {
				_ = try(step) // in a session of its own it may do what it likes
				require.Error(t, try("DROP TABLE t"), "%s as %s: %s", wall, who, step)
				require.Error(t, try("DELETE FROM t"), "%s as %s: %s", wall, who, step)
				require.Equal(t, before, state(d), "%s as %s: %s", wall, who, step)
			}
		}
	}
	// The tests can fail: in a session that writes all of this happens.
	d.Exec("DELETE FROM " + d.Name + ".t")
	require.NotEqual(t, before, state(d))
}

func TestMightyAccountsAreRefused(t *testing.T) {
	t.Parallel()
	d := mariadb.New(t)
	for _, grant := range []string{
		"ALL ON *.*", "SUPER ON *.*", "FILE ON *.*", "PROCESS ON *.*", "CREATE USER ON *.*", "SHUTDOWN ON *.*", "RELOAD ON *.*", "INSERT ON *.*", "DROP ON *.*", "REPLICATION SLAVE ON *.*",
		"SET USER ON *.*", "CONNECTION ADMIN ON *.*", "SELECT ON %s.* WITH GRANT OPTION", "USAGE ON *.* WITH GRANT OPTION", "UPDATE ON mysql.*", "ALL ON `%`.*", "INSERT ON mysql.user",
	} {
		c := connect(t, d, d.Account("SELECT ON %s.*", grant))
		e := failure(t, c.link.Test(t.Context()))
		require.True(t, e.Answered, grant)
		require.Contains(t, e.Reason, "GRANT SELECT, SHOW VIEW ON `"+d.Name+"`.* TO", grant)
		require.NotEmpty(t, c.refuses("SELECT 1").Reason, "%s: what was not tested is judged as well", grant)
	}
	for _, grant := range []string{"SELECT ON *.*", "SHOW DATABASES, EXECUTE ON *.*", "ALL ON %s.*", "SELECT (db) ON mysql.db"} {
		c := connect(t, d, d.Account("SELECT ON %s.*", grant))
		require.NoError(t, c.link.Test(t.Context()), grant)
	}
}

func TestRightsOfRolesCount(t *testing.T) {
	t.Parallel()
	d := mariadb.New(t)
	role := "r_" + d.Name
	d.Exec("CREATE ROLE "+role, "GRANT FILE ON *.* TO "+role)
	t.Cleanup(func() { d.Exec("DROP ROLE " + role) })
	a := d.Account("SELECT ON %s.*")
	d.Exec("GRANT "+role+" TO '"+a.Username+"'@'%'", "SET DEFAULT ROLE "+role+" FOR '"+a.Username+"'@'%'")
	require.Contains(t, failure(t, connect(t, d, a).link.Test(t.Context())).Reason, "FILE")
}

// What MySQL 8 says, whose rights have names of their own.
func TestRightsOfMySQL(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{"SYSTEM_USER", "ROLE_ADMIN"}, mysql.TooMuch("GRANT SELECT,SYSTEM_USER,ROLE_ADMIN ON *.* TO `a`@`%`"))
	require.Equal(t, []string{"ALL PRIVILEGES"}, mysql.TooMuch("GRANT ALL PRIVILEGES ON *.* TO `a`@`%`"))
	require.Empty(t, mysql.TooMuch("GRANT USAGE ON *.* TO `a`@`%`"))
	require.Empty(t, mysql.TooMuch("GRANT SELECT, INSERT (`a`,`b`) ON `x`.`y` TO `a`@`%`"))
	require.Empty(t, mysql.TooMuch("GRANT `reader`@`%` TO `a`@`%`"))
}

func TestAccessIsRefused(t *testing.T) {
	t.Parallel()
	d := mariadb.New(t)
	a := d.Reader()
	for reason, change := range map[string]func() connector.Settings{
		"password": func() connector.Settings {
			return settingsOf(t, d, mariadb.Account{Username: a.Username, Password: "wrong"}, nil)
		},
		"database": func() connector.Settings { return settingsOf(t, d, a, map[string]any{"database": "elsewhere"}) },
	} {
		e := failure(t, open(t, change(), dial).Test(t.Context()))
		require.Contains(t, e.Reason, reason)
		require.False(t, e.Ran)
		require.NotContains(t, e.Reason, a.Username)
		require.NotContains(t, e.Reason, "127.0.0.1")
	}
}
