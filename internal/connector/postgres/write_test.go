package postgres_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/automation"
	"steward/internal/connector"
	"steward/internal/connector/postgres"
)

type changed struct {
	RowsAffected int   `json:"rows_affected"`
	Returned     *rows `json:"returned"`
}

const spent = "SELECT sum(spend)::text FROM campaigns"

func raise() *attempt {
	return newAttempt("DB_WRITE", map[string]any{
		"statement": "UPDATE campaigns SET spend = spend + $1 WHERE campaign_name = $2 RETURNING spend", "parameters": []string{"100", "Black Friday"},
	})
}

func TestWrite(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	link := p.as(owner)
	for statement, want := range map[string]int{
		"INSERT INTO ads (id, campaign, note) VALUES (1, 1, 'x; y'), (2, 2, NULL);":                                   2,
		"UPDATE campaigns SET clicks = 0 WHERE id < 3":                                                                2,
		"DELETE FROM campaigns WHERE false":                                                                           0,
		"INSERT INTO campaigns (campaign_name) SELECT 'c' || n FROM generate_series(1, 300) n ON CONFLICT DO NOTHING": 300,
		"MERGE INTO campaigns c USING (VALUES (1)) v (id) ON c.id = v.id WHEN MATCHED THEN UPDATE SET spend = 1":      1,
		"WITH x AS (SELECT 1) UPDATE campaigns SET clicks = 1":                                                        -1,
		"SELECT 1":                                            -1,
		"DROP TABLE campaigns":                                -1,
		"UPDATE x SET y = 1; SELECT 1":                        -1,
		"DELETE FROM steward_calls":                           -1,
		`DELETE FROM "steward_calls"`:                         -1,
		"INSERT INTO ads SELECT pg_terminate_backend(1)::int": -1,
		"INSERT INTO nothing VALUES (1)":                      -1,
		"INSERT INTO ads VALUES ($1, 1, 'x')":                 -1,
		"INSERT INTO ads VALUES (1, 4711, 'x')":               -1, // refused at the commit
	} {
		var got changed
		a := newAttempt("DB_WRITE", map[string]any{"statement": statement})
		err := a.run(t, link, &got)
		if want < 0 {
			e := failure(t, err)
			require.True(t, e.Answered, statement)
			require.False(t, e.Ran, statement)
			continue
		}
		require.NoError(t, err, statement)
		require.Equal(t, want, got.RowsAffected, statement)
		require.Nil(t, got.Returned)
	}
	require.Equal(t, "5", p.one("SELECT count(*)::text FROM steward_calls"))
	require.Equal(t, "2", p.one("SELECT count(*)::text FROM ads"))
}

func TestWriteTellsWhatItReturns(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	link := p.as(owner)
	var got changed
	require.NoError(t, raise().run(t, link, &got))
	require.Equal(t, changed{1, &rows{Columns: []string{"spend"}, Rows: []map[string]any{{"spend": 5100.0}}, RowCount: 1}}, got)

	a := newAttempt("DB_WRITE", map[string]any{"statement": "INSERT INTO ads (id) SELECT n FROM generate_series(1, 5000) n RETURNING id"})
	require.NoError(t, a.run(t, link, &got))
	require.Equal(t, 5000, got.RowsAffected)
	require.True(t, got.Returned.Truncated)
	require.Equal(t, 100, got.Returned.RowCount)
	require.Equal(t, "5000", p.one("SELECT count(*)::text FROM ads"), "all are there, however few are told")
}

func TestSecondAttemptGetsTheResultOfTheFirst(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	link := p.as(owner)
	a := raise()
	var first, second changed
	require.NoError(t, a.run(t, link, &first))
	require.NoError(t, a.run(t, link, &second))
	require.Equal(t, first, second)
	a.receipt = "" // as if its note had been lost
	require.NoError(t, a.run(t, link, &second))
	require.Equal(t, first, second)
	require.Equal(t, "8100", p.one(spent))
	outcome, err := a.probe(t, link)
	require.NoError(t, err)
	require.Equal(t, automation.OutcomeDone, outcome)
}

func TestManyAttemptsAtOnce(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	link := p.as(owner)
	shared := raise()
	require.NoError(t, newAttempt("DB_WRITE", map[string]any{"statement": "DELETE FROM ads"}).run(t, link, &changed{})) // the ledger is there
	var wg sync.WaitGroup
	var mu sync.Mutex
	done := 0
	for range 8 {
		wg.Go(func() {
			a := &attempt{id: shared.id, tool: shared.tool, arguments: shared.arguments}
			var got changed
			if a.run(t, link, &got) == nil && got.RowsAffected == 1 {
				mu.Lock()
				done++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	require.Equal(t, 8, done, "all have the one result")
	require.Equal(t, "8100", p.one(spent))
}

func TestStaleAttemptChangesNothing(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	link := p.as(owner)
	lost := errors.New("another attempt has this call")
	tool, _ := postgres.New().Find("DB_WRITE")
	c := raise().call(t)
	c.Note = func(context.Context, string) error { return lost }
	_, err := tool.Call(t.Context(), &connector.Session{Link: link}, c)
	require.ErrorIs(t, err, lost)
	require.False(t, failure(t, err).Ran)
	require.Equal(t, "8000", p.one(spent))

	a := raise()
	outcome, err := a.probe(t, link)
	require.NoError(t, err)
	require.Equal(t, automation.OutcomeFailed, outcome, "without a note nothing was sent")
	a.receipt = "x"
	_, err = a.probe(t, link)
	require.Error(t, err)
	require.False(t, failure(t, a.run(t, link, &changed{})).Ran)
}

// An account that may change rows and make no tables: the refusal says what to run, and that works.
func TestLedgerThatSomebodyElseMakes(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.exec("REVOKE CREATE ON SCHEMA public FROM PUBLIC; GRANT UPDATE ON campaigns TO reader")
	link := p.as(reader)
	a := raise()
	e := failure(t, a.run(t, link, &changed{}))
	require.True(t, e.Answered)
	require.False(t, e.Ran)
	_, sql, found := strings.Cut(e.Reason, "runs once: ")
	require.True(t, found, e.Reason)
	outcome, err := a.probe(t, link)
	require.NoError(t, err)
	require.Equal(t, automation.OutcomeFailed, outcome)
	p.exec(sql)
	require.NoError(t, a.run(t, link, &changed{}))
	require.NoError(t, a.run(t, link, &changed{}))
	require.Equal(t, "8100", p.one(spent))
}
