package audit_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"steward/internal/audit"
	"steward/internal/store"
)

// startFeed runs a feed that listens already.
func startFeed(t *testing.T, l *ledger) (feed *audit.Feed, stop func()) {
	t.Helper()
	feed, err := audit.NewFeed(l.db, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	first, unsubscribe := feed.Subscribe("none")
	defer unsubscribe()
	go func() { done <- feed.Run(ctx) }()
	await(t, first) // the wake that follows LISTEN
	return feed, func() {
		cancel()
		require.NoError(t, <-done)
	}
}

func await(t *testing.T, wake <-chan struct{}) {
	t.Helper()
	select {
	case <-wake:
	case <-time.After(10 * time.Second):
		require.NoError(t, errors.New("not woken"))
	}
}

func TestFeedWakes(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	feed, stop := startFeed(t, l)
	defer stop()
	one, cancelOne := feed.Subscribe("run/1")
	same, cancelSame := feed.Subscribe("run/1")
	other, cancelOther := feed.Subscribe("run/11")
	defer cancelOther()
	await(t, one) // the wake that says that events are announced from now on
	await(t, same)
	await(t, other)

	l.append(t, "run/1", 6, 40) // more events than anybody takes wakes
	await(t, one)
	await(t, same)
	l.append(t, "run/11", 1, 1)
	await(t, other) // everything before it has been delivered
	cancelSame()
	cancelSame()
	drain(same)
	drain(one)
	l.append(t, "run/1", 41, 41)
	await(t, one)
	cancelOne()
	drain(one) // what came before
	l.append(t, "run/1", 42, 42)
	l.append(t, "run/11", 2, 2)
	await(t, other)
	require.Empty(t, same, "cancelled")
	require.Empty(t, one, "cancelled")
}

// Only what somebody follows is announced: a NOTIFY makes all writers of the server commit one after another.
func TestFeedAnnouncesWhatIsFollowed(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	feed, stop := startFeed(t, l)
	defer stop()
	conn, err := l.db.Pool.Acquire(t.Context())
	require.NoError(t, err)
	defer conn.Release()
	_, err = conn.Exec(t.Context(), "LISTEN steward_audit")
	require.NoError(t, err)
	heard := func() string {
		n, err := conn.Conn().WaitForNotification(t.Context())
		require.NoError(t, err)
		return n.Payload
	}
	l.append(t, "run/8", 1, 3)
	l.append(t, "run/9", 1, 1)
	wake, cancel := feed.Subscribe("run/9")
	await(t, wake) // it is followed now
	l.append(t, "run/9", 2, 2)
	require.Equal(t, "run/9 2", heard(), "nothing was announced before")
	cancel()
	l.tamper(t, "UPDATE audit_followers SET until = now() - interval '1 second'") // as if the process had died
	l.append(t, "run/9", 3, 3)
	other, cancelOther := feed.Subscribe("run/8")
	defer cancelOther()
	await(t, other)
	l.append(t, "run/8", 4, 4)
	require.Equal(t, "run/8 4", heard())
}

// What is told is for those who read now: the next event makes it old.
func TestFeedTellsProgress(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	feed, stop := startFeed(t, l)
	defer stop()
	tell := func(chain, now string) int64 {
		n, err := l.db.TellProgress(t.Context(), store.TellProgressParams{Chain: chain, Payload: chain + " " + now})
		require.NoError(t, err)
		return n
	}
	require.Zero(t, tell("run/1", `{"step":1}`), "nobody follows it")
	wake, cancel := feed.Subscribe("run/1")
	await(t, wake) // it is followed now
	other, cancelOther := feed.Subscribe("run/2")
	defer cancelOther()
	await(t, other)

	until := func(chain, want string) {
		for now, ok := feed.Progress(chain); ok != (want != "") || string(now) != want; now, ok = feed.Progress(chain) {
			await(t, map[string]<-chan struct{}{"run/1": wake, "run/2": other}[chain])
		}
	}
	until("run/1", "")
	require.Eventually(t, func() bool { // what is told before the feed listens is not heard
		require.EqualValues(t, 1, tell("run/1", `{"step": 1}`))
		now, _ := feed.Progress("run/1")
		return string(now) == `{"step": 1}`
	}, 10*time.Second, 5*time.Millisecond)
	tell("run/1", `{"step":2}`)
	until("run/1", `{"step":2}`)
	until("run/2", "")

	tell("run/2", `{"not":"whole`)
	l.append(t, "run/1", 6, 6)
	until("run/1", "")
	until("run/2", "")

	tell("run/1", `{"step":3}`)
	until("run/1", `{"step":3}`)
	cancel()
	_, ok := feed.Progress("run/1")
	require.False(t, ok, "its last reader has gone")
	tell("run/1", `{"step":4}`) // it is still registered
	tell("run/2", `{"step":1}`)
	until("run/2", `{"step":1}`)
	_, ok = feed.Progress("run/1")
	require.False(t, ok, "nobody reads it here")
}

func drain(ch <-chan struct{}) {
	select {
	case <-ch:
	default:
	}
}

// TestFeedSurvivesItsConnection kills the backend again and again while events are appended: a reader
// that reads rows after each wake has every event, once and in order.
func TestFeedSurvivesItsConnection(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	feed, stop := startFeed(t, l)
	defer stop()
	wake, cancel := feed.Subscribe("run/7")
	defer cancel()
	const events = 60
	appended := make(chan error, 1)
	go func() {
		for i := 1; i <= events; i++ {
			_, err := audit.Append(context.Background(), l.db.Queries, audit.Event{
				Chain: "run/7", Key: fmt.Sprint(i), Kind: audit.RunState, Actor: "worker",
			})
			if err == nil && i%20 == 0 {
				_, err = l.db.Pool.Exec(context.Background(),
					"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%LISTEN steward_audit' AND datname = current_database()")
			}
			if err != nil {
				appended <- err
				return
			}
		}
		appended <- nil
	}()
	var last int64
	for last < events {
		await(t, wake)
		rows, err := l.db.ListAudit(t.Context(), store.ListAuditParams{Chain: "run/7", AfterSeq: last, PageSize: 7})
		for ; err == nil && len(rows) > 0; rows, err = l.db.ListAudit(t.Context(), store.ListAuditParams{Chain: "run/7", AfterSeq: last, PageSize: 7}) {
			for _, row := range rows {
				require.Equal(t, last+1, row.Seq)
				last = row.Seq
			}
		}
		require.NoError(t, err)
	}
	require.NoError(t, <-appended)
}

// TestFeedLeavesNothing is not parallel: it counts goroutines.
func TestFeedLeavesNothing(t *testing.T) { //nolint:paralleltest // see above
	l := newLedger(t)
	before := goleak.IgnoreCurrent()
	feed, stop := startFeed(t, l)
	for i := range 500 { // readers cost no goroutine
		_, cancel := feed.Subscribe(fmt.Sprintf("run/%d", i%50))
		defer cancel()
	}
	goleak.VerifyNone(t, before, goleak.IgnoreAnyFunction("steward/internal/audit.(*Feed).Run"), goleak.IgnoreAnyFunction("steward/internal/audit.(*Feed).follow"))
	stop()
	l.db.Close()
	goleak.VerifyNone(t, before)

	unreachable, err := audit.NewFeed(l.db, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.NoError(t, unreachable.Run(ctx))
	_, err = audit.NewFeed(nil, nil)
	require.Error(t, err)
}
