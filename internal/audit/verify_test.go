package audit_test

import (
	"context"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/require"

	"steward/internal/audit"
)

func TestUntouched(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	require.Equal(t, 3, l.checkpoint(t))
	l.append(t, "run/2", 6, 6) // after the checkpoint
	var seen int64
	r := l.verifier(t).VerifyAll(t.Context(), func(n int64) { seen = n })
	require.Empty(t, r.Findings)
	require.Equal(t, 0, r.ExitCode(), r.CannotTell)
	require.Equal(t, []int64{3, 16, 1, 16}, []int64{r.Chains, r.Events, r.Checkpoints, seen})
	r = l.verifier(t).VerifyChain(t.Context(), "run/2")
	require.Equal(t, 0, r.ExitCode())
	require.Equal(t, []int64{1, 6, 1}, []int64{r.Chains, r.Events, r.Checkpoints})
	require.Equal(t, 0, l.verifier(t).VerifyChain(t.Context(), "run/99").ExitCode())
}

const altered = "the event does not match its hash"

// TestTamper holds the nine kinds of T-42, some in two strengths: as they are, and with every hash and
// head made to fit again.
func TestTamper(t *testing.T) {
	t.Parallel()
	const move = `UPDATE audit_events SET seq = seq + 100 WHERE chain = 'run/2' AND seq IN (2, 4);
		UPDATE audit_events SET seq = CASE seq WHEN 102 THEN 4 ELSE 2 END WHERE chain = 'run/2' AND seq > 100`
	for name, row := range map[string]struct {
		sql  []string
		want audit.Finding
	}{
		"1 edit": {
			[]string{`UPDATE audit_events SET body = '{"n":9}' WHERE chain = 'run/2' AND seq = 3`},
			audit.Finding{Chain: "run/2", Seq: 3, Problem: audit.Altered, Detail: altered},
		},
		"1 edit of the actor": {
			[]string{`UPDATE audit_events SET actor = 'nobody' WHERE chain = 'run/2' AND seq = 5`},
			audit.Finding{Chain: "run/2", Seq: 5, Problem: audit.Altered, Detail: altered},
		},
		"1 edit, hashed again": {
			[]string{`UPDATE audit_events SET body = '{"n":9}' WHERE chain = 'run/2' AND seq = 3`, rehash},
			audit.Finding{Chain: "run/2", Seq: 5, Problem: audit.Rewritten, Detail: "a signed checkpoint knows another event here"},
		},
		"2 middle delete": {
			[]string{`DELETE FROM audit_events WHERE chain = 'run/2' AND seq = 3`},
			audit.Finding{Chain: "run/2", Seq: 3, Problem: audit.Missing, Detail: "the next event is 4"},
		},
		"2 first deleted": {
			[]string{`DELETE FROM audit_events WHERE chain = 'run/2' AND seq = 1`},
			audit.Finding{Chain: "run/2", Seq: 1, Problem: audit.Missing, Detail: "the next event is 2"},
		},
		"3 tail delete": {
			[]string{`DELETE FROM audit_events WHERE chain = 'run/2' AND seq >= 4`},
			audit.Finding{Chain: "run/2", Seq: 4, Problem: audit.Missing, Detail: "the chain has 5 events"},
		},
		"3 tail delete, head set back": {
			[]string{`DELETE FROM audit_events WHERE chain = 'run/2' AND seq >= 4`, rehash},
			audit.Finding{Chain: "run/2", Seq: 4, Problem: audit.Missing, Detail: "a signed checkpoint knows event 5"},
		},
		"4 insert at the end": {
			[]string{`INSERT INTO audit_events SELECT chain, 6, 'k6', at, kind, actor, body, hash FROM audit_events WHERE chain = 'run/2' AND seq = 5`},
			audit.Finding{Chain: "run/2", Seq: 6, Problem: audit.Altered, Detail: altered},
		},
		"4 insert before the first": {
			[]string{`INSERT INTO audit_events SELECT chain, -7, 'k6', at, kind, actor, body, hash FROM audit_events WHERE chain = 'run/2' AND seq = 5`},
			audit.Finding{Chain: "run/2", Seq: -7, Problem: audit.Inserted, Detail: "there is no event with this number"},
		},
		"4 insert, hashed, head not moved": {
			[]string{
				`INSERT INTO audit_events SELECT chain, 6, 'k6', at, kind, actor, body, hash FROM audit_events WHERE chain = 'run/2' AND seq = 5`,
				rehash, `UPDATE audit_chains c SET seq = 5, head = e.hash FROM audit_events e WHERE c.chain = 'run/2' AND e.chain = 'run/2' AND e.seq = 5`,
			},
			audit.Finding{Chain: "run/2", Seq: 6, Problem: audit.Inserted, Detail: "the chain has only 5 events"},
		},
		"5 swap": {
			[]string{move},
			audit.Finding{Chain: "run/2", Seq: 2, Problem: audit.Altered, Detail: altered},
		},
		"6 time edit of a microsecond": {
			[]string{`UPDATE audit_events SET at = at + interval '1 microsecond' WHERE chain = 'run/2' AND seq = 2`},
			audit.Finding{Chain: "run/2", Seq: 2, Problem: audit.Altered, Detail: altered},
		},
		"7 events truncated": {
			[]string{`TRUNCATE audit_events`},
			audit.Finding{Chain: "run/1", Seq: 1, Problem: audit.Missing, Detail: "the chain has 5 events"},
		},
		"7 everything truncated": {
			[]string{`TRUNCATE audit_events, audit_chains`},
			audit.Finding{Chain: "run/1", Seq: 1, Problem: audit.Missing, Detail: "the chain is gone; a signed checkpoint knows event 5"},
		},
		"7 heads truncated": {
			[]string{`ALTER TABLE audit_events DROP CONSTRAINT audit_events_chain_fkey`, `DELETE FROM audit_chains`},
			audit.Finding{Chain: "run/1", Problem: audit.Altered, Detail: "the chain has events and no head"},
		},
		"8 moved to another run": {
			[]string{
				`DELETE FROM audit_events WHERE chain = 'run/2' AND seq = 5`,
				`UPDATE audit_events SET chain = 'run/2' WHERE chain = 'run/3' AND seq = 5`,
			},
			audit.Finding{Chain: "run/2", Seq: 5, Problem: audit.Altered, Detail: altered},
		},
		"9 checkpoints rolled back with everything": {
			[]string{`TRUNCATE audit_events, audit_chains, audit_checkpoints`},
			audit.Finding{Seq: 1, Problem: audit.RolledBack, Detail: "the checkpoint file has it, the database does not"},
		},
		"checkpoint's heads edited": {
			[]string{`UPDATE audit_checkpoints SET heads = '\x'`},
			audit.Finding{Seq: 1, Problem: audit.Altered, Detail: "its heads, or those of a checkpoint before it, are not the signed ones"},
		},
		"checkpoint signed by somebody else": {
			[]string{`UPDATE audit_checkpoints SET note = replace(note, E'\n1\n', E'\n2\n') || 'x'`},
			audit.Finding{Seq: 1, Problem: audit.Unsigned, Detail: "its signature is not of a known key"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLedger(t)
			l.checkpoint(t)
			l.tamper(t, row.sql...)
			r := l.verify(t)
			require.Equal(t, 1, r.ExitCode(), "%+v", r)
			require.Empty(t, cmp.Diff(row.want, r.Findings[0]))
			if row.want.Chain != "" {
				one := l.verifier(t).VerifyChain(t.Context(), row.want.Chain)
				if row.want.Detail != "the chain has events and no head" {
					require.Empty(t, cmp.Diff(row.want, one.Findings[0]))
				}
				require.Equal(t, 1, one.ExitCode())
				if row.want.Chain == "run/2" {
					require.Equal(t, 0, l.verifier(t).VerifyChain(t.Context(), "run/1").ExitCode())
				}
			}
		})
	}
}

// TestRollback puts the whole database back to an earlier, perfectly consistent state.
func TestRollback(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	l.checkpoint(t)
	l.tamper(t, `CREATE TABLE keep_events AS TABLE audit_events`, `CREATE TABLE keep_chains AS TABLE audit_chains`,
		`CREATE TABLE keep_checkpoints AS TABLE audit_checkpoints`)
	l.append(t, "run/2", 6, 8)
	require.Equal(t, 1, l.checkpoint(t))
	require.Equal(t, 0, l.verify(t).ExitCode())
	l.tamper(t, `TRUNCATE audit_events, audit_chains, audit_checkpoints`, `INSERT INTO audit_events TABLE keep_events`,
		`INSERT INTO audit_chains TABLE keep_chains`, `INSERT INTO audit_checkpoints TABLE keep_checkpoints`)

	inside, err := audit.NewVerifier(l.db, []string{l.pub}, "")
	require.NoError(t, err)
	require.Equal(t, 0, inside.VerifyAll(t.Context(), nil).ExitCode(), "nothing inside the database shows it")
	r := l.verify(t)
	want := []audit.Finding{{Seq: 2, Problem: audit.RolledBack, Detail: "the checkpoint file has it, the database does not"}}
	require.Empty(t, cmp.Diff(want, r.Findings))

	// Life goes on after the rollback: other events under the old numbers do not heal it.
	l.append(t, "run/2", 9, 11)
	l.checkpoint(t)
	require.Equal(t, 1, l.verify(t).ExitCode())
}

func TestCannotTell(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	l.checkpoint(t)
	blind, err := audit.NewVerifier(l.db, nil, l.file)
	require.NoError(t, err)
	r := blind.VerifyAll(t.Context(), nil)
	require.Equal(t, 2, r.ExitCode())
	require.Equal(t, []string{"checkpoints are not verified: no public key"}, r.CannotTell)
	require.EqualValues(t, 15, r.Events, "the chains are verified all the same")

	fileless, err := audit.NewVerifier(l.db, []string{l.pub}, l.file+".gone")
	require.NoError(t, err)
	r = fileless.VerifyAll(t.Context(), nil)
	require.Equal(t, []string{"the checkpoint file cannot be opened"}, r.CannotTell)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r = l.verifier(t).VerifyAll(ctx, nil)
	require.Equal(t, 2, r.ExitCode())

	_, other, err := audit.GenerateKey("other")
	require.NoError(t, err)
	stranger, err := audit.NewVerifier(l.db, []string{other}, "")
	require.NoError(t, err)
	r = stranger.VerifyAll(t.Context(), nil)
	want := []audit.Finding{{Seq: 1, Problem: audit.Unsigned}}
	require.Empty(t, cmp.Diff(want, r.Findings, cmpopts.IgnoreFields(audit.Finding{}, "Detail")))

	_, err = audit.NewVerifier(l.db, []string{"nonsense"}, "")
	require.Error(t, err)
	_, err = audit.NewVerifier(nil, nil, "")
	require.Error(t, err)
}

// TestVerifyWhileAppending must see no break: the snapshot holds events and heads of one moment.
func TestVerifyWhileAppending(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	done := make(chan error, 1)
	stop := make(chan struct{})
	go func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				done <- nil
				return
			default:
			}
			_, err := audit.Append(context.Background(), l.db.Queries, audit.Event{
				Chain: "run/1", Key: strconv.Itoa(i), Kind: audit.RunState, Actor: "worker",
			})
			if err != nil {
				done <- err
				return
			}
		}
	}()
	for range 20 {
		r := l.verify(t)
		require.Empty(t, r.Findings)
	}
	close(stop)
	require.NoError(t, <-done)
}
