package mysql_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/connector/mysql"
)

// reads pass the first wall.
var reads = []string{
	"SELECT 1", "select 1;", "  SELECT 1 ; ; -- done", "(SELECT 1) UNION (SELECT 2)", "# why\nSELECT 1", "-- why\nSELECT 1", "--\nSELECT 1", "/* why */ SELECT 1",
	"SELECT 'a;b', \"c;d\", `e;f` FROM t", `SELECT 'it''s', 'it\'s', "say ""hi""", 'a\\'`, "SELECT 5--1", "SELECT 'INTO OUTFILE'", "SELECT `into`, `update` FROM t",
	"SELECT '/*! not one */'", "SELECT 1 -- /*! DROP TABLE t */", "SELECT 1e5, 1.5e-3, .5, 0xFF, x'FF', b'01', 0b01, 1.", "SELECT größe FROM maße",
	"SELECT @a := 1", "SELECT @@version", "SHOW TABLES", "SHOW CREATE TABLE t", "DESCRIBE t", "DESC t", "EXPLAIN SELECT 1", "EXPLAIN FORMAT=JSON SELECT 1",
	"WITH a AS (SELECT 1) SELECT * FROM a", "VALUES (1),(2)", "TABLE t", "SELECT SUBSTRING('abc' FROM 1 FOR 2)", "SELECT sleep FROM nights", "SELECT INSERT('abc', 1, 1, 'x'), REPLACE('a', 'b', 'c')",
	"SELECT * FROM t FORCE INDEX FOR ORDER BY (i)", "SELECT größe(1)", "SELECT DATE_ADD(NOW(), INTERVAL 1 DAY)", "SELECT 'a' 'b', N'c', _utf8mb4'd'",
}

// notReads must not pass the first wall: changes, files, locks, waits, settings, and ways around filters.
var notReads = []string{
	"", ";", "  ", "-- nothing", "/* nothing */", "()", "((",
	"INSERT INTO t VALUES (1)", "UPDATE t SET n = 1", "DELETE FROM t", "REPLACE INTO t VALUES (1)", "DROP TABLE t", "CREATE TABLE x (n INT)", "ALTER TABLE t ADD x INT",
	"TRUNCATE t", "RENAME TABLE t TO u", "GRANT ALL ON *.* TO x", "SET SESSION tx_read_only = 0", "SET STATEMENT max_statement_time = 0 FOR SELECT 1", "SET @a = 1",
	"LOAD DATA LOCAL INFILE '/etc/passwd' INTO TABLE t", "LOAD DATA INFILE '/etc/passwd' INTO TABLE t", "CALL p()", "DO SLEEP(1)", "HANDLER t OPEN", "KILL 1", "SHUTDOWN", "FLUSH TABLES",
	"COMMIT", "ROLLBACK", "BEGIN", "START TRANSACTION", "XA START 'x'", "LOCK TABLES t WRITE", "UNLOCK TABLES", "PREPARE s FROM 'DROP TABLE t'", "EXECUTE s", "EXECUTE IMMEDIATE 'DROP TABLE t'",
	"USE other", "ANALYZE SELECT 1", "ANALYZE TABLE t", "OPTIMIZE TABLE t", "REPAIR TABLE t", "INSTALL PLUGIN x SONAME 'x'", "BINLOG 'x'", "CHANGE MASTER TO x", "RESET QUERY CACHE", "BACKUP STAGE START",
	"SELECT 1; DROP TABLE t", "SELECT 1;DELETE FROM t;", "SELECT 1 /* ; */ ; DROP TABLE t", "SELECT 'a' ; SELECT 'b'",
	"SELECT 1 INTO OUTFILE '/tmp/x'", "SELECT 1 INTO DUMPFILE '/tmp/x'", "SELECT 1 INTO @a", "SELECT 1 InTo/**/OuTfIlE '/tmp/x'", "SELECT 1INTO OUTFILE '/tmp/x'", "SELECT 1.INTO OUTFILE '/tmp/x'",
	"SELECT 1e0INTO OUTFILE '/tmp/x'", "SELECT 0x41INTO OUTFILE '/tmp/x'", "SELECT .1INTO OUTFILE '/tmp/x'", "TABLE t INTO OUTFILE '/tmp/x'", "VALUES (1) INTO OUTFILE '/tmp/x'", "(SELECT 1) INTO OUTFILE '/tmp/x'",
	"SELECT * FROM t FOR UPDATE", "SELECT * FROM t FOR/**/SHARE", "SELECT * FROM t LOCK IN SHARE MODE", "WITH a AS (SELECT 1) DELETE FROM t", "WITH a AS (SELECT 1) UPDATE t SET n = 1",
	"EXPLAIN ANALYZE SELECT 1", "EXPLAIN DELETE FROM t", "DESCRIBE UPDATE t SET n = 1", "EXPLAIN FORMAT=TREE INTO @x SELECT 1",
	"SELECT LOAD_FILE('/etc/passwd')", "SELECT load_file ('/etc/passwd')", "SELECT `load_file`('/etc/passwd')", "SELECT LOAD_FILE/**/('/etc/passwd')", "SELECT LÖAD_FILE('/etc/passwd')", "SELECT {fn LOAD_FILE('/etc/passwd')}",
	"SELECT SLEEP(100)", "SELECT sléep(100)", "SELECT BENCHMARK(1e9, 1)", "SELECT GET_LOCK('a', 100)", "SELECT RELEASE_ALL_LOCKS()", "SELECT MASTER_POS_WAIT('a', 1)",
	"SELECT NEXTVAL(s)", "SELECT NEXT VALUE FOR s", "SELECT SETVAL(s, 1)", "SELECT sys_exec('id')",
	"SELECT 1 /*! INTO OUTFILE '/tmp/x' */", "SELECT /*!50000 1 */", "SELECT /*M! 1 */", "/*!DROP TABLE t*/", "SELECT /*+ SET_VAR(sql_mode = 'ANSI_QUOTES') */ 1", "SELECT /*m!100000 1 */",
	"SELECT 1 /* not ended", "SELECT 'not ended", "SELECT \"not ended", "SELECT `not ended", `SELECT 'a\`, "SELECT 'a\x00b'", "SELECT 'a\\\x00b'", "SELECT\x001", "SELECT\x0b1", "SELECT\x0c1", "SELECT \\N",
	"SELECT $$'$$ INTO OUTFILE '/tmp/x' -- '", "SELECT 'a\xff'", `SELECT 'a\' INTO OUTFILE '/tmp/x' -- '' ;`, `SELECT "a\" ; DROP TABLE t -- "" ;`,
	"SELECT * FROM mysql.user", "SELECT * FROM `mysql`.`global_priv`", "SELECT * FROM mysql . user", "SHOW GRANTS", "SHOW GRANTS FOR CURRENT_USER", "SHOW CREATE USER", "--SELECT 1",
}

func TestFirstWallAroundReads(t *testing.T) {
	t.Parallel()
	for _, statement := range reads {
		require.NoError(t, mysql.CheckRead(statement), statement)
	}
	for _, statement := range notReads {
		require.Error(t, mysql.CheckRead(statement), statement)
	}
}

func TestFirstWallAroundWrites(t *testing.T) {
	t.Parallel()
	for _, statement := range []string{
		"INSERT INTO t VALUES (1)", "insert t set n = ?", "UPDATE t SET n = n + 1 WHERE id = ?;", "DELETE FROM t WHERE id IN (SELECT id FROM u)", "REPLACE INTO t VALUES (1, 'steward_calls')",
		"INSERT INTO t (n) VALUES (1) ON DUPLICATE KEY UPDATE n = 2", "INSERT INTO größe (a) SELECT a FROM u", "UPDATE t JOIN u ON t.id = u.id SET t.n = u.n",
	} {
		require.NoError(t, mysql.CheckWrite(statement), statement)
	}
	for _, statement := range []string{
		"SELECT 1", "DROP TABLE t", "INSERT INTO t VALUES (1); DELETE FROM t", "CREATE TABLE x (n INT)", "TRUNCATE t", "WITH a AS (SELECT 1) DELETE FROM t", "LOAD DATA INFILE 'x' INTO TABLE t",
		"INSERT INTO t SELECT LOAD_FILE('/etc/passwd')", "UPDATE t SET n = SLEEP(10)", "DELETE FROM steward_calls", "UPDATE db.`Steward_Calls` SET result = NULL", "DELETE t FROM t, STEWARD_CALLS",
		"INSERT INTO mysql.user VALUES (1)", "UPDATE `mysql`.global_priv SET x = 1", "INSERT INTO t VALUES (1) RETURNING n", "DELETE FROM t /*! WHERE 1 */", "INSERT INTO t SELECT 1 INTO OUTFILE '/tmp/x'",
		"START TRANSACTION", "COMMIT", "",
	} {
		require.Error(t, mysql.CheckWrite(statement), statement)
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	_, texts, err := mysql.Tokens("SELECT 'it''s', \"a\\\"b\", `T``x`, n FROM Tab -- end\nWHERE 1.5e3>.5")
	require.NoError(t, err)
	require.Equal(t, []string{"select", "it's", ",", `a"b`, ",", "t`x", ",", "n", "from", "tab", "where", "1.5e3", ">", ".5"}, texts)
}

// FuzzStatement: whatever passes has been taken apart in full. Nothing but white space and comments lies between the
// tokens, so that a statement which is written down again from them is judged alike.
func FuzzStatement(f *testing.F) {
	for _, seed := range append(append([]string{}, reads...), notReads...) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, statement string) {
		if mysql.CheckRead(statement) != nil {
			return
		}
		kinds, texts, err := mysql.Tokens(statement)
		require.NoError(t, err)
		for texts[len(texts)-1] == ";" {
			kinds, texts = kinds[:len(texts)-1], texts[:len(texts)-1]
		}
		var again []string
		for i, text := range texts {
			switch kinds[i] {
			case 1:
				text = "`" + strings.ReplaceAll(text, "`", "``") + "`"
			case 2:
				text = "'" + strings.NewReplacer("'", "''", `\`, `\\`).Replace(text) + "'"
			}
			again = append(again, text)
			if kinds[i] == 0 || kinds[i] == 4 {
				require.NotContains(t, []string{"into", "update", "delete", "analyze", ";"}, text)
			}
		}
		second := strings.Join(again, " ")
		_, same, err := mysql.Tokens(second)
		require.NoError(t, err, second)
		require.Equal(t, texts, same)
		require.NoError(t, mysql.CheckRead(second), second)
	})
}
