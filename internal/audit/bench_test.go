package audit_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"steward/internal/audit"
)

// BenchmarkAppend appends events of 32 runs by several writers, each event in its own transaction, to a
// database as durable as production's.
func BenchmarkAppend(b *testing.B) {
	for _, writers := range []int{8, 32} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			l := newLedger(b)
			l.tamper(b, "ALTER SYSTEM SET fsync = on", "ALTER SYSTEM SET synchronous_commit = on",
				"ALTER SYSTEM SET full_page_writes = on", "SELECT pg_reload_conf()")
			var next atomic.Int64
			var group errgroup.Group
			b.ResetTimer()
			for range writers {
				group.Go(func() error {
					for i := next.Add(1); i <= int64(b.N); i = next.Add(1) {
						_, err := audit.Append(context.Background(), l.db.Queries, audit.Event{
							Chain: fmt.Sprintf("run/%d", i%32), Key: fmt.Sprint(i), Kind: audit.ToolClaimed, Actor: "worker",
							Body: map[string]any{"call": "c1", "digest": "sha256:0123456789abcdef", "attempt": 1},
						})
						if err != nil {
							return err
						}
					}
					return nil
				})
			}
			require.NoError(b, group.Wait())
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

// grow makes chains of ten valid events each, without the append function.
func (l *ledger) grow(b *testing.B, chains int) {
	l.tamper(b, fmt.Sprintf(`DO $$
		DECLARE c text; h bytea; t timestamptz := now(); body text := '{"call":"c1","digest":"sha256:0123456789abcdef","attempt":1}';
		BEGIN
		  FOR i IN 1000..%d LOOP
		    c := 'run/' || i; h := '\x';
		    FOR s IN 1..10 LOOP
		      h := sha256(h || convert_to(s::text || E'\n' || (extract(epoch FROM t) * 1000000)::bigint::text || E'\n' ||
		           'k' || s || E'\n' || 'tool.claimed' || E'\n' || 'worker' || E'\n' || body || E'\n', 'UTF8'));
		      INSERT INTO audit_events VALUES (c, s, 'k' || s, t, 'tool.claimed', 'worker', body, h);
		    END LOOP;
		    INSERT INTO audit_chains VALUES (c, 10, h);
		  END LOOP;
		END $$`, 999+chains), `ANALYZE`)
}

// BenchmarkVerify verifies 300,000 events in 30,000 chains with a checkpoint over all of them.
func BenchmarkVerify(b *testing.B) {
	l := newLedger(b)
	l.grow(b, 30_000)
	l.checkpoint(b)
	v := l.verifier(b)
	var events int64
	b.ResetTimer()
	for b.Loop() {
		r := v.VerifyAll(b.Context(), nil)
		require.Empty(b, r.Findings)
		events += r.Events
	}
	b.ReportMetric(float64(events)/b.Elapsed().Seconds(), "events/s")
}

// BenchmarkCheckpoint signs with 100,000 chains of which one has moved, and of which none has.
func BenchmarkCheckpoint(b *testing.B) {
	l := newLedger(b)
	l.grow(b, 100_000)
	c := l.checkpointer(b)
	_, err := c.Checkpoint(b.Context())
	require.NoError(b, err)
	b.Run("one moved", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			_, err := audit.Append(b.Context(), l.db.Queries, audit.Event{Chain: "run/1", Key: fmt.Sprintf("%s%d/%d", b.Name(), b.N, i), Kind: audit.RunState, Actor: "worker"})
			require.NoError(b, err)
			n, err := c.Checkpoint(b.Context())
			require.NoError(b, err)
			require.Equal(b, 1, n)
		}
	})
	b.Run("none moved", func(b *testing.B) {
		for b.Loop() {
			n, err := c.Checkpoint(b.Context())
			require.NoError(b, err)
			require.Equal(b, 0, n)
		}
	})
}
