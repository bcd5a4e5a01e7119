package mcpclient

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestEraIsNegotiatedAndReported(t *testing.T) {
	t.Parallel()
	for mode, want := range map[string]Negotiated{
		"serve":            {EraModern, "", "2026-07-28", json.RawMessage(`{"name":"testserver","version":"1"}`)},
		"banner":           {EraModern, "", "2026-07-28", json.RawMessage(`{"name":"testserver","version":"1"}`)},
		"ignores-discover": {EraLegacy, "", "2025-06-18", json.RawMessage(`{"name":"old","version":"0"}`)},
		"dies-on-discover": {EraLegacy, "", "2025-06-18", json.RawMessage(`{"name":"old","version":"0"}`)},
	} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			var reported []Negotiated
			pool := newPool(t, Options{OnSeen: func(_ context.Context, key Key, n Negotiated) {
				require.Equal(t, Key{Owner: "ann", Server: 1, Version: 1}, key)
				reported = append(reported, n)
			}})
			for range 2 {
				info, err := pool.Ping(t.Context(), childTarget(mode))
				require.NoError(t, err)
				require.Equal(t, want, info)
			}
			require.Equal(t, []Negotiated{want}, reported)
		})
	}
}

// A stored era saves the probe, and a wrong one does no harm.
func TestKnownEra(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		mode string
		era  Era
		want Era
	}{
		"legacy saves 3 s": {"ignores-discover", EraLegacy, EraLegacy},
		"server went back": {"dies-on-discover", EraModern, EraLegacy},
		"server kept both": {"serve", EraLegacy, EraLegacy},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pool := newPool(t, Options{})
			target := childTarget(tt.mode)
			target.Era = tt.era
			ctx, cancel := context.WithTimeout(t.Context(), probeTimeout)
			defer cancel()
			info, err := pool.Ping(ctx, target)
			require.NoError(t, err)
			require.Equal(t, tt.want, info.Era)
		})
	}
}

func TestToolsAreRawAndInOrder(t *testing.T) {
	t.Parallel()
	pool := newPool(t, Options{})
	target := childTarget("ignores-discover")
	target.Era = EraLegacy
	tools, err := pool.Tools(t.Context(), target)
	require.NoError(t, err)
	require.Len(t, tools, 2)
	b, a := tools[0], tools[1]
	require.Equal(t, "b", b.Name)
	require.Equal(t, "Bee", b.Title)
	require.True(t, *b.ReadOnly)
	require.Nil(t, b.Destructive)
	require.Nil(t, b.Idempotent)
	require.Nil(t, b.OpenWorld)
	require.Contains(t, string(b.Definition), `"x-own":1`)
	require.Contains(t, string(b.InputSchema), "12345678901234567890")
	require.Equal(t, "a", a.Name)
	require.Nil(t, a.ReadOnly)
	require.False(t, *a.Destructive)
	require.False(t, *a.Idempotent)
	require.True(t, *a.OpenWorld)
	require.JSONEq(t, `{"tool":"b"}`, string(a.Meta["k"]))
}

func TestToolsFollowListChanged(t *testing.T) {
	t.Parallel()
	for _, era := range []Era{EraModern, EraLegacy} {
		t.Run(string(era), func(t *testing.T) {
			t.Parallel()
			pool := newPool(t, Options{})
			target := childTarget("serve")
			target.Era = era
			before, err := pool.Tools(t.Context(), target)
			require.NoError(t, err)
			_, err = call(t, pool, target, "change", "")
			require.NoError(t, err)
			require.Eventually(t, func() bool {
				after, err := pool.Tools(t.Context(), target)
				return err == nil && len(after) == len(before)+1
			}, patience, 10*time.Millisecond)
		})
	}
}

func TestResultIsWhatTheServerWrote(t *testing.T) {
	t.Parallel()
	pool := newPool(t, Options{})
	res, err := call(t, pool, childTarget("serve"), "exact", "")
	require.NoError(t, err)
	require.Equal(t, `{"big":12345678901234567890,"money":1234.50}`, string(res.Structured))
	require.Equal(t, "see structured", res.Text())

	res, err = call(t, pool, childTarget("serve"), "refuse", "")
	require.NoError(t, err)
	require.True(t, res.IsError)
	require.Equal(t, "no such mail", res.Text())
	require.Nil(t, res.Structured)

	old := childTarget("ignores-discover")
	old.Era, old.Key.Server = EraLegacy, 2
	res, err = call(t, pool, old, "a", "")
	require.NoError(t, err, "content the SDK does not know")
	require.Equal(t, "hello", res.Text())
	require.Contains(t, string(res.Content), "hologram")
}

func TestServerErrors(t *testing.T) {
	t.Parallel()
	pool := newPool(t, Options{})
	target := childTarget("serve")

	e := callError(t, pool, target, "nonesuch", "")
	require.Equal(t, StageResult, e.Stage)
	require.EqualValues(t, -32602, e.Code)

	e = callError(t, pool, target, "echo", `["not", "an object"]`)
	require.Equal(t, NotRun, e.Ran)
	e = callError(t, pool, target, "echo", `{"text":`)
	require.Equal(t, NotRun, e.Ran)

	require.Equal(t, 1, sessions(pool), "none of these costs the session")
}

func TestCallKeyIsSent(t *testing.T) {
	t.Parallel()
	pool := newPool(t, Options{})
	res, err := pool.Call(t.Context(), childTarget("serve"), Call{Tool: "call-key", CallKey: "run-1/2"})
	require.NoError(t, err)
	require.Equal(t, "run-1/2", res.Text())
}

func TestProgress(t *testing.T) {
	t.Parallel()
	for _, era := range []Era{EraModern, EraLegacy} {
		t.Run(string(era), func(t *testing.T) {
			t.Parallel()
			pool := newPool(t, Options{})
			target := childTarget("serve")
			target.Era = era
			requireProgress(t, pool, target)
		})
	}
}

// requireProgress lets a tool finish once its three steps have arrived here.
func requireProgress(t *testing.T, pool *Pool, target Target) {
	t.Helper()
	steps, done := make(chan Progress, 10), make(chan error, 1)
	go func() {
		_, err := pool.Call(t.Context(), target, Call{Tool: "steps", Progress: func(p Progress) { steps <- p }})
		done <- err
	}()
	for i := range 3 {
		require.Equal(t, Progress{float64(i + 1), 3, "step"}, <-steps)
	}
	_, err := call(t, pool, target, "finish", "")
	require.NoError(t, err)
	require.NoError(t, <-done)
	require.Empty(t, steps)
	for range 50 { // what comes right before the answer is not lost
		var last []float64
		_, err := pool.Call(t.Context(), target, Call{Tool: "hasty", Progress: func(p Progress) { last = append(last, p.Done) }})
		require.NoError(t, err)
		require.Equal(t, []float64{1, 2, 3}, last)
	}
}

func TestCancelReachesTheTool(t *testing.T) {
	t.Parallel()
	for _, era := range []Era{EraModern, EraLegacy} {
		t.Run(string(era), func(t *testing.T) {
			t.Parallel()
			pool := newPool(t, Options{})
			target := childTarget("serve")
			target.Era = era
			e := cancelCall(t, pool, target)
			require.ErrorIs(t, e, context.Canceled)
			require.Equal(t, MaybeRun, e.Ran)
			require.Equal(t, StageAnswer, e.Stage)
			require.Equal(t, 1, sessions(pool))
		})
	}
}

// cancelCall cancels a call once its tool runs, and waits until the tool has noticed.
func cancelCall(t *testing.T, pool *Pool, target Target) *Error {
	t.Helper()
	dir := t.TempDir()
	started, cancelled := filepath.Join(dir, "started"), filepath.Join(dir, "cancelled")
	args, err := json.Marshal(map[string]string{"started": started, "cancelled": cancelled})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	failed := make(chan error, 1)
	go func() {
		_, err := pool.Call(ctx, target, Call{Tool: "hang", Arguments: args})
		failed <- err
	}()
	exists := func(path string) func() bool {
		return func() bool { _, err := os.Stat(path); return err == nil }
	}
	require.Eventually(t, exists(started), patience, 5*time.Millisecond)
	cancel()
	var e *Error
	require.ErrorAs(t, <-failed, &e)
	require.Eventually(t, exists(cancelled), patience, 5*time.Millisecond)
	return e
}

func TestDeadlineIsTheDefaultOne(t *testing.T) {
	t.Parallel()
	pool := newPool(t, Options{CallTimeout: 300 * time.Millisecond})
	target := childTarget("serve")
	_, err := pool.Ping(patiently(t), target)
	require.NoError(t, err)
	dir := t.TempDir()
	e := callError(t, pool, target, "hang", fmt.Sprintf(`{"started":%q,"cancelled":%q}`, dir+"/s", dir+"/c"))
	require.ErrorIs(t, e, context.DeadlineExceeded)
	require.Equal(t, MaybeRun, e.Ran)
	require.Eventually(t, func() bool { _, err := os.Stat(dir + "/c"); return err == nil }, patience, 5*time.Millisecond)
}

func TestChildThatStopsReading(t *testing.T) {
	t.Parallel()
	pool := newPool(t, Options{})
	target := childTarget("deaf")
	target.Era = EraLegacy
	args, err := json.Marshal(map[string]string{"text": strings.Repeat("x", 1<<20)})
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	_, err = pool.Call(ctx, target, Call{Tool: "echo", Arguments: args})
	var e *Error
	require.ErrorAs(t, err, &e)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Equal(t, NotRun, e.Ran, "half a line is no call")
}

func TestLargeResults(t *testing.T) {
	t.Parallel()
	pool := newPool(t, Options{})
	target := childTarget("serve")
	res, err := call(t, pool, target, "big", `{"bytes":"2097152"}`)
	require.NoError(t, err)
	require.Len(t, res.Text(), 2<<20)

	e := callError(t, pool, target, "big", `{"bytes":"11000000"}`)
	require.ErrorIs(t, e, ErrTooLarge)
	require.Equal(t, MaybeRun, e.Ran)

	_, err = call(t, pool, target, "echo", `{"text":"still here"}`)
	require.NoError(t, err)
}

func TestManyCallersOneSession(t *testing.T) {
	t.Parallel()
	pool := newPool(t, Options{})
	var wg sync.WaitGroup
	for caller := range 64 {
		wg.Go(func() {
			for i := range 25 {
				want := fmt.Sprintf("%d/%d", caller, i)
				res, err := call(t, pool, childTarget("serve"), "echo", fmt.Sprintf(`{"text":%q}`, want))
				if err != nil || res.Text() != want {
					t.Errorf("caller %s: %v, %v", want, res, err)
				}
			}
		})
	}
	wg.Wait()
	require.Equal(t, 1, sessions(pool))
}
