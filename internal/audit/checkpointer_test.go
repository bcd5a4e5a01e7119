package audit_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"steward/internal/audit"
	"steward/internal/secret"
)

func TestCheckpointIsIncremental(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	c := l.checkpointer(t)
	for i, step := range []struct {
		append func()
		want   int
	}{
		{func() {}, 3},
		{func() {}, 0},
		{func() { l.append(t, "run/2", 6, 9) }, 1},
		{func() { l.append(t, "run/2", 9, 9) }, 0}, // a known key appends nothing
		{func() { l.append(t, "run/1", 6, 6); l.append(t, "system", 1, 1) }, 2},
	} {
		step.append()
		n, err := c.Checkpoint(t.Context())
		require.NoError(t, err)
		require.Equal(t, step.want, n, "step %d", i)
	}
	require.Equal(t, 0, l.checkpoint(t), "another process knows what is signed")
	l.append(t, "run/3", 6, 6)
	require.Equal(t, 1, l.checkpoint(t))
	l.append(t, "run/1", 7, 7)
	n, err := c.Checkpoint(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, n, "and the first one takes up what the other has signed")

	rows, err := l.db.Pool.Query(t.Context(), "SELECT chains FROM audit_checkpoints ORDER BY id")
	require.NoError(t, err)
	defer rows.Close()
	var chains []int64
	for rows.Next() {
		var n int64
		require.NoError(t, rows.Scan(&n))
		chains = append(chains, n)
	}
	require.NoError(t, rows.Err())
	require.Equal(t, []int64{3, 3, 4, 4, 4}, chains)
	r := l.verify(t)
	require.Equal(t, 0, r.ExitCode(), "%+v", r)
	require.EqualValues(t, 5, r.Checkpoints)
}

// TestManyCheckpointers run in as many processes: each head is signed once.
func TestManyCheckpointers(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	var group errgroup.Group
	for i := range 4 {
		c := l.checkpointer(t)
		group.Go(func() error {
			for j := range 10 {
				_, err := audit.Append(context.Background(), l.db.Queries, audit.Event{
					Chain: fmt.Sprintf("run/%d", i), Key: fmt.Sprintf("p%d", j), Kind: audit.RunState, Actor: "worker",
				})
				if err != nil {
					return err
				}
				if _, err := c.Checkpoint(context.Background()); err != nil {
					return err
				}
			}
			return nil
		})
	}
	require.NoError(t, group.Wait())
	l.checkpoint(t)
	r := l.verify(t)
	require.Equal(t, 0, r.ExitCode(), "%+v", r)
}

func TestCheckpointerSignsAtShutdown(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	var log bytes.Buffer
	c, err := audit.NewCheckpointer(l.db, l.key, l.file, slog.New(slog.NewJSONHandler(&log, nil)))
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.NoError(t, c.Run(ctx))
	require.EqualValues(t, 1, l.verify(t).Checkpoints)
	require.Contains(t, log.String(), `"note":"steward-test\n3\n`, "the copy that leaves the machine")
	require.NotContains(t, log.String(), "PRIVATE")
}

func TestCheckpointerFails(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	quiet := slog.New(slog.DiscardHandler)
	c, err := audit.NewCheckpointer(l.db, l.key, l.file+"/not-a-folder/x", quiet)
	require.NoError(t, err)
	n, err := c.Checkpoint(t.Context())
	require.Error(t, err, "the file cannot be written")
	require.Equal(t, 3, n, "the database has it")

	c = l.checkpointer(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = c.Checkpoint(ctx)
	require.ErrorIs(t, err, context.Canceled)
	l.append(t, "run/1", 6, 6)
	n, err = c.Checkpoint(t.Context())
	require.NoError(t, err, "it recovers")
	require.Equal(t, 1, n)
	require.Equal(t, 0, l.verify(t).ExitCode())

	for _, key := range []string{"", "canary", "PRIVATE+KEY+canary+1+2", strings.Replace(l.key.Reveal(), "+A", "+B", 1)} {
		_, err := audit.NewCheckpointer(l.db, secret.New(key), "", quiet)
		require.Error(t, err)
		require.NotContains(t, err.Error(), "canary")
		_, err = audit.PublicKey(secret.New(key))
		require.Error(t, err)
	}
	_, err = audit.NewCheckpointer(nil, l.key, "", quiet)
	require.Error(t, err)
}

func TestAppendRefusesLineBreaks(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	for _, e := range []audit.Event{{Key: "a\nb"}, {Kind: "a\nb"}, {Actor: "a\nb"}} {
		e.Chain = "run/1"
		_, err := audit.Append(t.Context(), l.db.Queries, e)
		require.ErrorContains(t, err, "line break")
	}
	_, err := audit.Append(t.Context(), l.db.Queries, audit.Event{Chain: "run/1", Body: func() {}})
	require.Error(t, err)
}
