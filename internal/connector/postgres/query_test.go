package postgres_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"steward/internal/connector/postgres"
)

// The query of seed 002, but for its dates.
func TestQueryOfTheSeed(t *testing.T) {
	t.Parallel()
	link := newPlace(t).as(reader)
	got, err := query(t, link, "SELECT campaign_name, spend, clicks FROM campaigns WHERE spend > 1 ORDER BY id;")
	require.NoError(t, err)
	require.Empty(t, cmp.Diff(rows{
		Columns: []string{"campaign_name", "spend", "clicks"}, RowCount: 2,
		Rows: []map[string]any{
			{"campaign_name": "Black Friday", "spend": 5000.0, "clicks": 15000.0}, {"campaign_name": "Holiday Sale", "spend": 3000.0, "clicks": 8000.0},
		},
	}, got))
}

func TestKindsOfQueries(t *testing.T) {
	t.Parallel()
	link := newPlace(t).as(reader)
	for _, sql := range []string{
		"VALUES (1), (2)", "TABLE campaigns", "SHOW search_path", "EXPLAIN SELECT 1", "EXPLAIN (FORMAT JSON, COSTS off) TABLE ads",
		"WITH c AS (SELECT 1) SELECT * FROM c", "(SELECT 1) UNION (SELECT 2)", "/* a */ SELECT $$;$$ -- b",
	} {
		got, err := query(t, link, sql)
		require.NoError(t, err, sql)
		require.NotEmpty(t, got.Columns, sql)
	}
	got, err := query(t, link, "SELECT * FROM ads")
	require.NoError(t, err)
	require.Equal(t, rows{Columns: []string{"id", "campaign", "note"}, Rows: []map[string]any{}}, got, "no rows, and yet columns")
}

func TestValues(t *testing.T) {
	t.Parallel()
	link := newPlace(t).as(reader)
	for sql, want := range map[string]any{
		"NULL::text": nil, "true": true, "7::int2": 7.0, "9007199254740991": 9007199254740991.0, "9007199254740993": "9007199254740993",
		"5000.50": 5000.5, "1234567890.1234567890": "1234567890.1234567890", "0.000000000000001": 1e-15, "'NaN'::numeric": "NaN",
		"'Infinity'::float8": "Infinity", "0.1::float8": 0.1, "1.5::float4": 1.5, "1e300::float8": 1e300,
		`'{"b": [1, null], "a": 12345678901234567890}'::jsonb->'b'`: []any{1.0, nil}, `'{"a":1}'::json`: map[string]any{"a": 1.0},
		"'2026-11-21 18:50:05.25+02'::timestamptz AT TIME ZONE 'UTC'": "2026-11-21T16:50:05.25", "'infinity'::timestamptz": "infinity",
		"'2026-11-21'::date": "2026-11-21", "interval '1 day 2 hours'": "1 day 02:00:00", `'\x00ff'::bytea`: "AP8=",
		"ARRAY[1, NULL, 3]": []any{1.0, nil, 3.0}, "ARRAY[['a,b', 'c'], ['\"', 'NULL']]": []any{[]any{"a,b", "c"}, []any{`"`, "NULL"}}, "'{}'::int[]": []any{},
		"ARRAY[true, false]": []any{true, false}, "'10.1.2.3/8'::inet": "10.1.2.3/8", "int4range(1, 5)": "[1,5)", "ROW(1, 'x')": "(1,x)",
		"'0b29d5a6-8f3c-4f43-9d6b-1f6f2d7b1b11'::uuid": "0b29d5a6-8f3c-4f43-9d6b-1f6f2d7b1b11",
	} {
		got, err := query(t, link, "SELECT "+sql+" AS v")
		require.NoError(t, err, sql)
		require.Equal(t, want, got.Rows[0]["v"], sql)
	}
	got, err := query(t, link, "SELECT now() AS v")
	require.NoError(t, err)
	_, err = time.Parse(time.RFC3339Nano, got.Rows[0]["v"].(string))
	require.NoError(t, err)
}

func TestBigAnswersAreCut(t *testing.T) {
	t.Parallel()
	link := newPlace(t).as(reader)
	got, err := query(t, link, "SELECT * FROM generate_series(1, 20000) a, generate_series(1, 20000) b")
	require.NoError(t, err)
	require.True(t, got.Truncated)
	require.Equal(t, 1000, got.RowCount)
	require.NotEmpty(t, got.Note)

	got, err = query(t, link, "SELECT repeat('x', 100000) AS v FROM generate_series(1, 900)")
	require.NoError(t, err)
	require.True(t, got.Truncated)
	require.Equal(t, 10, got.RowCount)

	_, err = query(t, link, "SELECT repeat('x', 20000000) AS v")
	require.Contains(t, failure(t, err).Reason, "fewer columns")

	got, err = query(t, link, "SELECT count(*) FROM generate_series(1, 1000)")
	require.NoError(t, err, "the link goes on")
	require.False(t, got.Truncated)
}

func TestWhatTheServerSaysIsToldToTheModel(t *testing.T) {
	t.Parallel()
	link := newPlace(t).as(reader)
	for sql, want := range map[string]string{
		"SELECT nothing FROM campaigns": `column "nothing" does not exist`,
		"SELECT * FROM hidden":          "permission denied for table hidden",
		"SELECT 1/0":                    "division by zero",
		"SELECT FROM WHERE":             "at character 13",
	} {
		_, err := query(t, link, sql)
		e := failure(t, err)
		require.True(t, e.Answered, sql)
		require.False(t, e.Ran)
		require.Contains(t, e.Reason, want)
	}
	require.Equal(t, 1, postgres.Conns(link), "errors of statements do not cost the connection")
}

// A call that is given up stops on the server as well.
func TestQueryEndsWithItsCaller(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.exec("CREATE FUNCTION slow() RETURNS int LANGUAGE sql AS 'SELECT 1 FROM pg_sleep(60)'")
	link := p.as(reader)
	running := "SELECT count(*)::text FROM pg_stat_activity WHERE usename = 'reader' AND datname = current_database() AND state = 'active'"
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- postgres.Raw(ctx, link, "SELECT slow()") }()
	require.Eventually(t, func() bool { return p.one(running) == "1" }, 10*time.Second, 5*time.Millisecond)
	cancel()
	require.Error(t, <-done)
	require.Eventually(t, func() bool { return p.one(running) == "0" }, 10*time.Second, 5*time.Millisecond)

	go func() { done <- postgres.Raw(t.Context(), link, "SELECT slow()") }()
	require.Eventually(t, func() bool { return p.one(running) == "1" }, 10*time.Second, 5*time.Millisecond)
	link.Close()
	require.Error(t, <-done, "closing a link ends its calls")
}
