package audit_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"steward/internal/audit"
	"steward/internal/automation"
	"steward/internal/secret"
	"steward/internal/store"
	"steward/internal/storetest"
)

// ledger is a database with three runs of five events each, and all that signs and verifies it.
type ledger struct {
	db    *store.DB
	super secret.String
	key   secret.String
	pub   string
	file  string
}

func newLedger(t testing.TB) *ledger {
	t.Helper()
	app, super := storetest.URLs(t)
	db, err := store.Open(t.Context(), app, 16)
	require.NoError(t, err)
	t.Cleanup(db.Close)
	key, pub, err := audit.GenerateKey("steward-test")
	require.NoError(t, err)
	l := &ledger{db: db, super: super, key: key, pub: pub, file: filepath.Join(t.TempDir(), "checkpoints.jsonl")}
	for run := int64(1); run <= 3; run++ {
		l.append(t, automation.AuditChain(run), 1, 5)
	}
	return l
}

func (l *ledger) append(t testing.TB, chain string, from, to int) {
	t.Helper()
	for i := from; i <= to; i++ {
		_, err := audit.Append(t.Context(), l.db.Queries, audit.Event{
			Chain: chain, Key: fmt.Sprintf("k%d", i), Kind: audit.RunState, Actor: "worker",
			Body: map[string]any{"n": i, "text": "ünï <&>"},
		})
		require.NoError(t, err)
	}
}

func (l *ledger) checkpointer(t testing.TB) *audit.Checkpointer {
	t.Helper()
	c, err := audit.NewCheckpointer(l.db, l.key, l.file, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	return c
}

func (l *ledger) checkpoint(t testing.TB) int {
	t.Helper()
	n, err := l.checkpointer(t).Checkpoint(t.Context())
	require.NoError(t, err)
	return n
}

func (l *ledger) verifier(t testing.TB) *audit.Verifier {
	t.Helper()
	v, err := audit.NewVerifier(l.db, []string{l.pub}, l.file)
	require.NoError(t, err)
	return v
}

func (l *ledger) verify(t testing.TB) audit.Report { return l.verifier(t).VerifyAll(t.Context(), nil) }

// tamper does what an intruder with the superuser's password can do: triggers and foreign keys are off.
func (l *ledger) tamper(t testing.TB, statements ...string) {
	t.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, l.super.Reveal())
	require.NoError(t, err)
	defer func() { _ = conn.Close(ctx) }()
	for _, sql := range append([]string{"SET session_replication_role = replica"}, statements...) {
		_, err = conn.Exec(ctx, sql)
		require.NoError(t, err, sql)
	}
}

// rehash gives every event of a chain a hash that fits, as an intruder who knows the rule would.
const rehash = `DO $$
DECLARE e record; h bytea := '\x';
BEGIN
  FOR e IN SELECT * FROM audit_events WHERE chain = 'run/2' ORDER BY seq LOOP
    h := sha256(h || convert_to(e.seq::text || E'\n' || (extract(epoch FROM e.at) * 1000000)::bigint::text || E'\n' ||
         e.event_key || E'\n' || e.kind || E'\n' || e.actor || E'\n' || e.body || E'\n', 'UTF8'));
    UPDATE audit_events SET hash = h WHERE chain = e.chain AND seq = e.seq;
    UPDATE audit_chains SET seq = e.seq, head = h WHERE chain = e.chain;
  END LOOP;
END $$`
