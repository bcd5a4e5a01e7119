package mysql_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/dev/counterpart/mariadb"
	"steward/internal/connector/database"
	"steward/internal/connector/mysql"
)

func TestQuery(t *testing.T) {
	t.Parallel()
	d := mariadb.New(t)
	d.Exec("CREATE TABLE "+d.Name+".campaigns (campaign_name VARCHAR(40), spend INT, clicks BIGINT UNSIGNED, day DATE)",
		"INSERT INTO "+d.Name+".campaigns VALUES ('Black Friday', 5000, 15000, CURRENT_DATE), ('Holiday Sale', 3000, 8000, CURRENT_DATE), ('Old', 1, 1, '2001-01-01')")
	c := connect(t, d, d.Reader())
	require.NoError(t, c.link.Test(t.Context()))
	rows, err := c.query("SELECT campaign_name, spend, clicks FROM campaigns WHERE day >= CURRENT_DATE - INTERVAL 7 DAY ORDER BY spend DESC;")
	require.NoError(t, err)
	require.Equal(t, `[{"campaign_name":"Black Friday","spend":5000,"clicks":15000},{"campaign_name":"Holiday Sale","spend":3000,"clicks":8000}]`, rows) //nolint:testifylint // the order is what is tested
}

func TestValues(t *testing.T) {
	t.Parallel()
	d := mariadb.New(t)
	d.Exec("CREATE TABLE "+d.Name+`.v (tiny TINYINT, big BIGINT, ubig BIGINT UNSIGNED, money DECIMAL(12,2), exact DECIMAL(30,10), f FLOAT, g DOUBLE,
		day DATE, at DATETIME(3), moment TIMESTAMP NULL, clock TIME, year YEAR, b BIT(10), ok BOOL, t TEXT, bin VARBINARY(4), kind ENUM('a','b'), nothing INT)`,
		"SET time_zone = '+02:00'",
		"INSERT INTO "+d.Name+`.v VALUES (-1, 9007199254740993, 18446744073709551615, 5000.50, 12345678901234567890.0123456789, 0.1, 1e300,
		'2026-03-01', '2026-03-01 10:11:12.500', FROM_UNIXTIME(1772359872), '-10:11:12', 2026, b'1000000001', true, 'Größe 😀', X'00FFFE01', 'b', NULL)`)
	rows, err := connect(t, d, d.Reader()).query("SELECT * FROM v")
	require.NoError(t, err)
	require.JSONEq(t, `[{"tiny":-1,"big":"9007199254740993","ubig":"18446744073709551615","money":5000.50,"exact":"12345678901234567890.0123456789",
		"f":0.1,"g":1e300,"day":"2026-03-01","at":"2026-03-01 10:11:12.500","moment":"2026-03-01T10:11:12Z","clock":"-10:11:12","year":2026,
		"b":513,"ok":1,"t":"Größe 😀","bin":"AP/+AQ==","kind":"b","nothing":null}]`, rows)
	require.Contains(t, rows, `"money":5000.50`)
}

// An address of the net 10 is no text and one of 192.168 would be: what a column holds is told in one way.
func TestBinaryColumnsAreAlwaysBase64(t *testing.T) {
	t.Parallel()
	d := mariadb.New(t)
	d.Exec("CREATE TABLE "+d.Name+".b (id INT, fixed BINARY(2), ip VARBINARY(16), blob_ BLOB, tiny TINYBLOB, wide LONGBLOB, place POINT, t TEXT, c CHAR(2) COLLATE utf8mb4_bin, id6 INET6, j JSON)",
		"INSERT INTO "+d.Name+`.b VALUES (1, 'ab', INET6_ATON('10.0.0.1'), 'ab', 'ab', 'ab', POINT(0, 0), 'ab', 'ab', '::1', '[1]'),
		(2, X'FF00', INET6_ATON('192.168.0.1'), X'FD', X'FE', X'FF', NULL, 'é', 'é', '::2', '{}')`)
	rows, err := connect(t, d, d.Reader()).query("SELECT * FROM b ORDER BY id")
	require.NoError(t, err)
	require.JSONEq(t, `[{"id":1,"fixed":"YWI=","ip":"CgAAAQ==","blob_":"YWI=","tiny":"YWI=","wide":"YWI=","place":"AAAAAAEBAAAAAAAAAAAAAAAAAAAAAAAAAA==","t":"ab","c":"ab","id6":"::1","j":"[1]"},
		{"id":2,"fixed":"/wA=","ip":"wKgAAQ==","blob_":"/Q==","tiny":"/g==","wide":"/w==","place":null,"t":"é","c":"é","id6":"::2","j":"{}"}]`, rows)
}

func TestColumnsOfOneNameAreKeptApart(t *testing.T) {
	t.Parallel()
	d := mariadb.New(t)
	rows, err := connect(t, d, d.Reader()).query("SELECT 1 AS a, 2 AS a, '' AS ``")
	require.NoError(t, err)
	require.JSONEq(t, `[{"a":1,"a_2":2,"column_3":""}]`, rows)
}

func TestAnswersAreBounded(t *testing.T) {
	t.Parallel()
	d := mariadb.New(t)
	c := connect(t, d, d.Reader())
	for name, test := range map[string]struct {
		query string
		rows  int
	}{
		"rows":           {"SELECT seq FROM seq_1_to_1000000", database.MostRows},
		"rows, by LIMIT": {"SELECT seq FROM seq_1_to_1000000 LIMIT 500000", database.MostRows},
		"bytes":          {"SELECT REPEAT('x', 400000) AS x FROM seq_1_to_10", 2},
		"one row":        {"SELECT REPEAT('x', 5000000) AS x", 0},
	} {
		var answer database.Answer
		require.NoError(t, c.call("DB_QUERY", map[string]string{"query": test.query}, &answer), name)
		require.True(t, answer.Truncated, name)
		require.NotEmpty(t, answer.Note, name)
		require.Equal(t, test.rows, answer.RowCount, name)
		require.Len(t, answer.Rows, test.rows, name)
	}
	var answer database.Answer
	require.NoError(t, c.call("DB_QUERY", map[string]string{"query": "SELECT seq FROM seq_1_to_1000"}, &answer))
	require.False(t, answer.Truncated)
	// A session breaks before it fills the memory, and the next call has another.
	require.Contains(t, c.refuses("SELECT REPEAT('x', 9000000), REPEAT('y', 9000000)").Reason, "broke")
	_, err := c.query("SELECT 1")
	require.NoError(t, err)
}

func TestErrorsHelpAndTellNothingElse(t *testing.T) {
	t.Parallel()
	d := mariadb.New(t)
	d.Exec("CREATE TABLE " + d.Name + ".t (n INT)")
	a := d.Account("SELECT (n) ON %s.t")
	c := connect(t, d, a)
	require.Contains(t, connect(t, d, d.Reader()).refuses("SELECT nothing FROM t").Reason, "nothing")
	require.Contains(t, c.refuses("SELEKT 1").Reason, "SELECT")
	for _, query := range []string{"SELECT * FROM t2", "SELECT * FROM other.t", "SELECT nonsense(1)", "SHOW CREATE TABLE t", "SELECT FROM WHERE"} {
		e := c.refuses(query)
		require.True(t, e.Answered && !e.Ran, query)
		require.NotContains(t, e.Reason, "127.0.0.1", query)
		require.NotContains(t, e.Reason, a.Username, query)
	}
}

func TestEverySessionServesOneCall(t *testing.T) {
	t.Parallel()
	d := mariadb.New(t)
	c := connect(t, d, d.Reader())
	seen := map[string]bool{}
	for range 8 {
		rows, err := c.query("SELECT CONNECTION_ID() AS id, @left AS was, @left := 1 AS now")
		require.NoError(t, err)
		require.Contains(t, rows, `"was":null`)
		require.False(t, seen[rows])
		seen[rows] = true
		require.Eventually(t, func() bool { return mysql.OpenSessions(c.link) == 1 }, 10*time.Second, time.Millisecond, "the next one is made in advance")
	}
}

func TestFourAtOnceAndManyWait(t *testing.T) {
	t.Parallel()
	d := mariadb.New(t)
	c := connect(t, d, d.Reader())
	failed := make(chan error, 20)
	for i := range cap(failed) {
		go func() {
			rows, err := c.query(fmt.Sprintf("SELECT %d AS i", i))
			if want := fmt.Sprintf(`[{"i":%d}]`, i); err == nil && rows != want {
				err = fmt.Errorf("%s instead of %s", rows, want)
			}
			failed <- err
		}()
	}
	for range cap(failed) {
		require.NoError(t, <-failed)
	}
	require.LessOrEqual(t, mysql.OpenSessions(c.link), 3)
}

func TestLimitsOfASession(t *testing.T) {
	t.Parallel()
	d := mariadb.New(t)
	c := connect(t, d, d.Reader())
	rows, err := c.query("SELECT @@max_statement_time AS seconds, @@innodb_lock_wait_timeout AS locks, @@tx_read_only AS ro, @@sql_mode AS mode, @@time_zone AS zone")
	require.NoError(t, err)
	require.JSONEq(t, `[{"seconds":15,"locks":10,"ro":1,"mode":"","zone":"+00:00"}]`, rows)
}

// A call that nobody waits for any more is given up at once, and its session with it.
func TestCancel(t *testing.T) {
	t.Parallel()
	d := mariadb.New(t)
	c := connect(t, d, d.Reader())
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- mysql.Unchecked(ctx, c.link, "SELECT SLEEP(60)")
	}()
	asleep := "SELECT COUNT(*) FROM information_schema.processlist WHERE db = '" + d.Name + "' AND info LIKE 'SELECT SLEEP%'"
	require.Eventually(t, func() bool { return d.Text(asleep) == "1" }, 10*time.Second, 5*time.Millisecond)
	cancel()
	require.ErrorIs(t, <-ended, context.Canceled)
	_, err := c.query("SELECT 1")
	require.NoError(t, err)
	require.Eventually(t, func() bool { return d.Text(asleep) == "0" }, 20*time.Second, 20*time.Millisecond, "the server stops it too")
}
