package tool

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/audit"
	"steward/internal/automation"
	"steward/internal/fault"
	"steward/internal/secret"
	"steward/internal/store"
	"steward/internal/storetest"
)

func TestRecorderWritesEverythingInOrder(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	r := newRecorder(db, slog.New(slog.DiscardHandler))
	const events = 3*recordBatch + 7
	for i := range events {
		require.NoError(t, r.reserve(t.Context()))
		r.put(func() audit.Event {
			return audit.Event{Chain: automation.AuditUser(strconv.Itoa(i % 3)), Key: strconv.Itoa(i), Kind: audit.ToolCalled, Actor: "a"}
		})
	}
	require.NoError(t, r.close(t.Context()))
	total := 0
	for owner := range 3 {
		found, err := db.ListAudit(t.Context(), store.ListAuditParams{Chain: automation.AuditUser(strconv.Itoa(owner)), PageSize: 2 * events})
		require.NoError(t, err)
		total += len(found)
		last := -1
		for _, e := range found {
			n, err := strconv.Atoi(e.EventKey)
			require.NoError(t, err)
			require.Greater(t, n, last)
			last = n
		}
	}
	require.Equal(t, events, total)
	require.NoError(t, r.close(t.Context()), "closing twice changes nothing")
	require.Empty(t, r.room)
}

// One event that cannot be written does not take the others of its batch with it.
func TestRecorderKeepsTheOthersOfABatch(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	r := newRecorder(db, slog.New(slog.DiscardHandler))
	for _, key := range []string{"a", "b\nc", "d"} {
		require.NoError(t, r.reserve(t.Context()))
		r.put(func() audit.Event {
			return audit.Event{Chain: automation.AuditUser("alice"), Key: key, Kind: audit.ToolCalled, Actor: "a"}
		})
	}
	require.NoError(t, r.close(t.Context()))
	found, err := db.ListAudit(t.Context(), store.ListAuditParams{Chain: automation.AuditUser("alice"), PageSize: 10})
	require.NoError(t, err)
	require.Len(t, found, 2)
}

// What cannot be recorded is not done: while PostgreSQL is away the room fills up, and then callers are refused.
func TestRecorderRefusesWhenFull(t *testing.T) {
	t.Parallel()
	away, err := store.Open(t.Context(), secret.New("postgres://nobody@127.0.0.1:1/none"), 1)
	require.NoError(t, err)
	t.Cleanup(away.Close)
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder(away, slog.New(slog.DiscardHandler))
		for range recordRoom {
			require.NoError(t, r.reserve(t.Context()))
		}
		err := r.reserve(t.Context())
		require.True(t, fault.Is(err, fault.Unavailable))
		require.Equal(t, CodeAuditFull, fault.CodeOf(err))
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		require.ErrorIs(t, r.reserve(gone), context.Canceled)
		<-r.room
		require.NoError(t, r.reserve(t.Context()))
	})
}

// Who waits no longer for what cannot be written ends the attempts at it.
func TestRecorderGivesUpWhenNobodyWaits(t *testing.T) {
	t.Parallel()
	away, err := store.Open(t.Context(), secret.New("postgres://nobody@127.0.0.1:1/none"), 1)
	require.NoError(t, err)
	t.Cleanup(away.Close)
	r := newRecorder(away, slog.New(slog.DiscardHandler))
	require.NoError(t, r.reserve(t.Context()))
	r.put(func() audit.Event {
		return audit.Event{Chain: automation.AuditUser("alice"), Key: "k", Kind: audit.ToolCalled, Actor: "a"}
	})
	impatient, cancel := context.WithCancel(t.Context())
	cancel()
	require.True(t, fault.Is(r.close(impatient), fault.Unavailable))
	require.Empty(t, r.room, "nothing is at work any more")
}

func TestRecent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var r recent[string, int64]
		var asked atomic.Int64
		slow := func(context.Context) (int64, error) {
			<-time.After(time.Second)
			return asked.Add(1), nil
		}
		get := func() int64 {
			n, err := r.get(t.Context(), "k", time.Minute, slow)
			require.NoError(t, err)
			return n
		}
		both := make(chan int64, 2)
		for range 2 {
			go func() { both <- get() }()
		}
		require.Equal(t, int64(1), <-both)
		require.Equal(t, int64(1), <-both, "who comes while it is asked waits for the same answer")
		require.Equal(t, int64(1), get(), "and it is kept")
		<-time.After(2 * time.Minute)
		require.Equal(t, int64(2), get(), "for its time")
		r.forget(func(k string) bool { return k == "k" })
		require.Equal(t, int64(3), get())

		hurried, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		r.forget(func(string) bool { return true })
		_, err := r.get(hurried, "k", time.Minute, slow)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, int64(4), get(), "what was begun goes on without the one who began it")

		failed := errors.New("no")
		_, err = r.get(t.Context(), "f", time.Minute, func(context.Context) (int64, error) { return 0, failed })
		require.ErrorIs(t, err, failed)
		n, err := r.get(t.Context(), "f", time.Minute, func(context.Context) (int64, error) { return 7, nil })
		require.NoError(t, err)
		require.Equal(t, int64(7), n, "errors are not kept")
	})
}

func TestCapitals(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"apiKey": "API_KEY", "api-key": "API_KEY", "api_key": "API_KEY", "APIKey": "API_KEY", "token": "TOKEN", "githubToken": "GITHUB_TOKEN",
		"oauth2Token": "OAUTH2_TOKEN", "API_KEY": "API_KEY", "": "",
	} {
		require.Equal(t, want, capitals(in), in)
	}
}
