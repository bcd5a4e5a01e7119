package bigquery

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]error{
		"SELECT 1": nil, "select 1;": nil, "  \n SELECT 1 ; ; -- end": nil, "(SELECT 1) UNION ALL (SELECT 2)": nil,
		"WITH t AS (SELECT 1) SELECT * FROM t":                           nil,
		"FROM `p.d.t` |> WHERE x > 1":                                    nil,
		"-- what sells\n# well\n/* really; */ SELECT 1":                  nil,
		"SELECT ';', \";\", ';''', r'\\';', '''a;'b''', \"\"\"\";\"\"\"": nil,
		"SELECT `a;b` FROM t /* ; */ -- ;":                               nil,
		"SELECT 1; SELECT 2":                                             errNotOne,
		"SELECT 'a'; DROP TABLE t":                                       errNotOne,
		"SELECT 1 /* ; */; DELETE FROM t WHERE true":                     errNotOne,
		"SELECT '''a'''; DELETE FROM t":                                  errNotOne,
		"SELECT '\\'' ; DELETE FROM t":                                   errNotOne,
		"DELETE FROM t WHERE true":                                       errNotAQuery,
		"/* SELECT */ DELETE FROM t":                                     errNotAQuery,
		"INSERT INTO t SELECT 1":                                         errNotAQuery,
		"CREATE TABLE t AS SELECT 1":                                     errNotAQuery,
		"EXPORT DATA OPTIONS(uri='gs://x/*') AS SELECT 1":                errNotAQuery,
		"BEGIN SELECT 1; END":                                            errNotAQuery,
		"EXECUTE IMMEDIATE 'SELECT 1'":                                   errNotAQuery,
		"CALL p()":                                                       errNotAQuery,
		"SELECTED":                                                       errNotAQuery,
		"":                                                               errNotAQuery,
		"-- SELECT 1":                                                    errNotAQuery,
		"'SELECT'":                                                       errNotAQuery,
		";SELECT 1":                                                      errNotAQuery,
	} {
		require.Equal(t, want, check(query), query)
	}
}

func FuzzCheck(f *testing.F) {
	for _, query := range []string{"SELECT 1", "WITH t AS (SELECT '\\'' ) SELECT 1;", "/*", "'''", "SELECT `", "\\", "SELECT 1; --"} {
		f.Add(query)
	}
	f.Fuzz(func(t *testing.T, query string) {
		if check(query) != nil {
			return
		}
		require.ErrorIs(t, check("DELETE FROM t; "+query), errNotAQuery)
		// Whatever is open at the end of a query keeps what follows from being a statement of its own.
		closed := true
		for rest := query; rest != ""; {
			n, token := next(rest)
			require.Positive(t, n)
			require.LessOrEqual(t, n, len(rest))
			closed = token != '"' && token != ' '
			rest = rest[n:]
		}
		if closed && !strings.HasSuffix(strings.TrimSpace(query), ";") {
			require.ErrorIs(t, check(query+"; DELETE FROM t"), errNotOne)
		}
	})
}
