package mysql_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/dev/counterpart/mariadb"
	"steward/internal/automation"
	"steward/internal/connector"
)

// writable is a database with one table, and a connection of an account that may change it.
func writable(t *testing.T) (*mariadb.Database, *connection) {
	t.Helper()
	d := mariadb.New(t)
	d.Exec("CREATE TABLE " + d.Name + ".t (id INT AUTO_INCREMENT PRIMARY KEY, n INT UNIQUE, s VARCHAR(10), f DOUBLE, at DATE) ENGINE=InnoDB")
	return d, connect(t, d, d.Writer())
}

type written struct {
	RowsAffected int64 `json:"rows_affected"`
	LastInsertID int64 `json:"last_insert_id"`
}

func TestWrite(t *testing.T) {
	t.Parallel()
	d, c := writable(t)
	var out written
	require.NoError(t, c.call("DB_WRITE", map[string]any{
		"statement": "INSERT INTO t (n, s, f, at) VALUES (?, ?, ?, ?), (2, NULL, NULL, NULL)", "parameters": []any{1, "a?'\"\\", 1.5, "2026-03-01"}, //nolint:dupword // values of three columns
	}, &out))
	require.Equal(t, written{2, 1}, out)
	require.Equal(t, `1 a?'"\ 1.5 2026-03-01`, d.Text("SELECT CONCAT_WS(' ', n, s, f, at) FROM "+d.Name+".t WHERE id = 1"))
	require.NoError(t, c.call("DB_WRITE", map[string]any{"statement": "UPDATE t SET s = ? WHERE n <= 2", "parameters": []any{nil}}, &out))
	require.Equal(t, int64(2), out.RowsAffected)
	require.NoError(t, c.call("DB_WRITE", map[string]any{"statement": "UPDATE t SET s = NULL WHERE n = 2"}, &out))
	require.Equal(t, int64(1), out.RowsAffected, "found, though not changed")
	require.NoError(t, c.call("DB_WRITE", map[string]any{"statement": "DELETE FROM t WHERE n = ?", "parameters": []any{true}}, &out))
	require.Equal(t, 1, count(d, "t"))
	require.Equal(t, 4, count(d, "steward_calls"))
}

func TestWritesThatAreRefusedLeaveNothing(t *testing.T) {
	t.Parallel()
	d, c := writable(t)
	require.NoError(t, c.call("DB_WRITE", map[string]any{"statement": "INSERT INTO t (n) VALUES (1)"}, nil))
	d.Exec("CREATE TABLE "+d.Name+".Fleeting (n INT) ENGINE=MyISAM", "CREATE TABLE "+d.Name+".log (n INT) ENGINE=Aria")
	for statement, parameters := range map[string][]any{
		"INSERT INTO t (n) VALUES (5), (1)":                  nil, // the second is there already
		"INSERT INTO t (n) VALUES (?)":                       {"many"},
		"INSERT INTO t (s) VALUES ('longer than it may be')": nil,
		"INSERT INTO t (n) VALUES (?), (?)":                  {6},
		"INSERT INTO nowhere VALUES (1)":                     nil,
		"DELETE FROM fleeting":                               nil,
		"INSERT INTO Fleeting VALUES (1)":                    nil,
		"INSERT INTO t (n) SELECT n FROM `log`":              nil,
		"UPDATE t SET n = ? WHERE id = 1":                    {9007199254740993.0},
		"INSERT INTO t (s) VALUES (?)":                       {map[string]any{"a": 1}},
		"SELECT 1":                                           nil,
		"UPDATE t SET n = 7; DELETE FROM t":                  nil,
		"DROP TABLE t":                                       nil,
	} {
		e := failure(t, c.call("DB_WRITE", map[string]any{"statement": statement, "parameters": parameters}, nil))
		require.True(t, e.Answered && !e.Ran, "%s: %v", statement, e)
		require.Equal(t, "1", d.Text("SELECT GROUP_CONCAT(n) FROM "+d.Name+".t"), statement)
		require.Equal(t, 1, count(d, "steward_calls"), statement)
	}
}

// A connection that breaks at any packet of a call, in any way, leaves a call that is cleared up: the change is made
// once, whether the executor asks afterwards or a worker died and another takes over.
func TestWritesAreMadeOnceWhereTheConnectionBreaks(t *testing.T) {
	t.Parallel()
	d := mariadb.New(t)
	d.Exec("CREATE TABLE " + d.Name + ".t (n INT) ENGINE=InnoDB")
	line := &line{}
	c := &connection{t, open(t, settingsOf(t, d, d.Writer(), nil), line.dial)}
	calls, broken := 0, 0
	for _, how := range []cut{neverSent, unanswered, inTransit} {
		for packet := 1; ; packet++ {
			where := fmt.Sprintf("packet %d, %s", packet, how)
			calls++
			made := newCall(t, map[string]any{"statement": "INSERT INTO t VALUES (?)", "parameters": []any{calls}})
			line.breakAt(packet, how)
			err := c.attempt("DB_WRITE", made, nil)
			broke := line.broke()
			if broke {
				broken++
				c.clearUp(made, err, where)
			} else {
				require.NoError(t, err, where)
			}
			require.Equal(t, "1", d.Text(fmt.Sprintf("SELECT COUNT(*) FROM %s.t WHERE n = %d", d.Name, calls)), where)
			outcome, result := c.probe(made)
			require.Equal(t, automation.OutcomeDone, outcome, where)
			require.JSONEq(t, `{"rows_affected":1}`, result, where)
			if !broke {
				break
			}
		}
	}
	require.Greater(t, broken, 30)
	require.Equal(t, calls, count(d, "t"))
}

// clearUp does what the executor does after an attempt that met a broken connection.
func (c *connection) clearUp(made *call, err error, where string) {
	c.t.Helper()
	if err != nil && !failure(c.t, err).Ran {
		require.False(c.t, failure(c.t, err).Answered, where)
		require.NoError(c.t, c.attempt("DB_WRITE", made, nil), where)
		return
	}
	outcome, _ := c.probe(made)
	require.NotEqual(c.t, automation.OutcomeUnknown, outcome, where)
	if outcome == automation.OutcomeFailed {
		require.Error(c.t, err, where)
		require.NoError(c.t, c.attempt("DB_WRITE", made, nil), where)
	}
}

// An attempt that was taken for dead comes back after the receiver was asked.
func TestALateAttemptChangesNothing(t *testing.T) {
	t.Parallel()
	d, c := writable(t)
	made := newCall(t, map[string]any{"statement": "INSERT INTO t (n) VALUES (1)"})
	late := made.made()
	late.Note = func(_ context.Context, receipt string) error {
		made.receipt = receipt
		outcome, _ := c.probe(made) // somebody else asks now, and is told that it was not made
		require.Equal(t, automation.OutcomeFailed, outcome)
		return nil
	}
	_, err := toolNamed(t, "DB_WRITE").Call(t.Context(), &connector.Session{Link: c.link}, late)
	require.Contains(t, failure(t, err).Reason, "another attempt")
	require.Equal(t, 0, count(d, "t"))

	require.NoError(t, c.attempt("DB_WRITE", made, nil), "the attempt after that makes it")
	require.Equal(t, "2", made.receipt)
	made.receipt = "" // an attempt that knows nothing of those before
	var out written
	require.NoError(t, c.attempt("DB_WRITE", made, &out))
	require.Equal(t, int64(1), out.RowsAffected, "what was made is not made again")
	require.Equal(t, 1, count(d, "t"))
}

func TestWithoutANoteNothingIsSent(t *testing.T) {
	t.Parallel()
	d, c := writable(t)
	made := newCall(t, map[string]any{"statement": "INSERT INTO t (n) VALUES (1)"})
	outcome, _ := c.probe(made)
	require.Equal(t, automation.OutcomeFailed, outcome, "what was never noted was never sent")
	fenced := made.made()
	fenced.Note = func(context.Context, string) error { return errors.New("another attempt has this call") }
	_, err := toolNamed(t, "DB_WRITE").Call(t.Context(), &connector.Session{Link: c.link}, fenced)
	require.False(t, failure(t, err).Ran)
	require.Equal(t, 0, count(d, "t"))
}

func TestLedgerThatMayNotBeMade(t *testing.T) {
	t.Parallel()
	d := mariadb.New(t)
	d.Exec("CREATE TABLE " + d.Name + ".t (n INT) ENGINE=InnoDB")
	c := connect(t, d, d.Account("SELECT, INSERT ON %s.t"))
	made := newCall(t, map[string]any{"statement": "INSERT INTO t VALUES (1)"})
	e := failure(t, c.attempt("DB_WRITE", made, nil))
	require.True(t, e.Answered && !e.Ran)
	outcome, _ := c.probe(made)
	require.Equal(t, automation.OutcomeFailed, outcome)
	_, advice, found := strings.Cut(e.Reason, "runs once: ")
	require.True(t, found, e.Reason)
	for _, statement := range strings.Split(strings.TrimSuffix(advice, ";"), "; ") {
		d.Exec(statement)
	}
	require.NoError(t, c.attempt("DB_WRITE", made, nil), "the advice is all that is missing")
	require.Equal(t, 1, count(d, "t"))
}

func TestTwoWritesAtOnceWaitForEachOther(t *testing.T) {
	t.Parallel()
	d, c := writable(t)
	failed := make(chan error, 8)
	for range cap(failed) {
		go func() {
			failed <- c.call("DB_WRITE", map[string]any{"statement": "INSERT INTO t (n) SELECT COALESCE(MAX(n), 0) + 1 FROM t"}, nil)
		}()
	}
	for range cap(failed) {
		require.NoError(t, <-failed)
	}
	require.Equal(t, "8", d.Text("SELECT MAX(n) FROM "+d.Name+".t"))
}
