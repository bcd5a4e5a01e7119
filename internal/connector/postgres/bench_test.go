package postgres_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"steward/internal/connector"
	"steward/internal/connector/postgres"
)

// BenchmarkQuery compares DB_QUERY with the same query on a pool of pgx alone, which reads the rows and does nothing with
// them. The two alternate, so that both have the same machine.
func BenchmarkQuery(b *testing.B) {
	for name, sql := range map[string]string{
		"one row":     "SELECT id, campaign_name, spend FROM campaigns WHERE id = 1",
		"a hundred":   "SELECT n, 'row ' || n AS text, now() AS at, n / 3.0 AS part FROM generate_series(1, 100) n",
		"a thousand":  "SELECT n, 'row ' || n AS text, now() AS at, n / 3.0 AS part FROM generate_series(1, 1000) n",
		"work of 5ms": "SELECT count(*) FROM generate_series(1, 30000) a WHERE a::text LIKE '%7%'",
	} {
		b.Run(name, func(b *testing.B) {
			p := newPlace(b)
			tool, _ := postgres.New().Find("DB_QUERY")
			session := &connector.Session{Link: p.as(reader)}
			arguments, err := json.Marshal(map[string]string{"query": sql})
			require.NoError(b, err)
			s, err := cluster()
			require.NoError(b, err)
			pool, err := pgxpool.New(b.Context(), s.URL(p.name, reader, password).Reveal())
			require.NoError(b, err)
			b.Cleanup(pool.Close)
			compare(b, func() error {
				_, err := tool.Call(b.Context(), session, connector.Call{Arguments: arguments})
				return err
			}, func() error {
				rows, err := pool.Query(b.Context(), sql)
				if err != nil {
					return err
				}
				for rows.Next() {
					if _, err := rows.Values(); err != nil {
						return err
					}
				}
				return rows.Err()
			})
		})
	}
}

// compare runs the two in turn and reports the median of each.
func compare(b *testing.B, ours, bare func() error) {
	var took, alone []time.Duration
	measure := func(f func() error) time.Duration {
		began := time.Now()
		if err := f(); err != nil {
			b.Fatal(err)
		}
		return time.Since(began)
	}
	for b.Loop() {
		took, alone = append(took, measure(ours)), append(alone, measure(bare))
	}
	median := func(all []time.Duration) float64 {
		slices.Sort(all)
		return float64(all[len(all)/2].Microseconds())
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(took), "ours-p50-µs")
	b.ReportMetric(median(alone), "bare-p50-µs")
	b.ReportMetric(median(took)/median(alone), "ratio")
	b.ReportMetric((median(took)-median(alone))/1000, "added-ms")
}
