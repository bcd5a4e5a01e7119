package mcpclient

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"

	"steward/internal/launch/process"
)

// sessions counts the sessions that are open or closing.
func sessions(p *Pool) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.open
}

func TestNewNeedsALog(t *testing.T) {
	t.Parallel()
	_, err := New(Options{})
	require.Error(t, err)
}

func TestTargetIsChecked(t *testing.T) {
	t.Parallel()
	pool := newPool(t, Options{})
	for name, target := range map[string]Target{
		"neither":    {},
		"both":       {Stdio: &Stdio{Command: "x"}, HTTP: &HTTP{URL: "http://x"}},
		"no command": {Stdio: &Stdio{}},
		"no client":  {HTTP: &HTTP{URL: "http://x"}},
	} {
		_, err := pool.Ping(t.Context(), target)
		var e *Error
		require.ErrorAs(t, err, &e, name)
		require.Equal(t, NotRun, e.Ran, name)
	}
}

func TestOneDialForManyCallers(t *testing.T) {
	t.Parallel()
	var dials atomic.Int32
	pool := newPool(t, Options{OnSeen: func(context.Context, Key, Negotiated) { dials.Add(1) }})
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			if _, err := pool.Ping(t.Context(), childTarget("serve")); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, 1, dials.Load())
}

// What Before keeps back is not sent, and the session is as good as before.
func TestBeforeKeepsACallBack(t *testing.T) {
	t.Parallel()
	var dials atomic.Int32
	pool := newPool(t, Options{OnSeen: func(context.Context, Key, Negotiated) { dials.Add(1) }})
	stale := errors.New("stale")
	_, err := pool.Call(t.Context(), childTarget("serve"), Call{Tool: "echo", Before: func(context.Context) error {
		require.EqualValues(t, 1, dials.Load(), "asked on an open session")
		return stale
	}})
	require.ErrorIs(t, err, ErrKeptBack)
	require.ErrorIs(t, err, stale)
	var e *Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, NotRun, e.Ran)
	_, err = pool.Ping(t.Context(), childTarget("serve"))
	require.NoError(t, err)
	require.EqualValues(t, 1, dials.Load())
}

// The first caller gives up; the others still get the session it asked for.
func TestDialOutlivesItsCaller(t *testing.T) {
	t.Parallel()
	var dials atomic.Int32
	pool := newPool(t, Options{OnSeen: func(context.Context, Key, Negotiated) { dials.Add(1) }})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := pool.Ping(ctx, childTarget("serve"))
	require.ErrorIs(t, err, context.Canceled)
	_, err = pool.Ping(t.Context(), childTarget("serve"))
	require.NoError(t, err)
	require.EqualValues(t, 1, dials.Load())
}

func TestSessionsAreNotShared(t *testing.T) {
	t.Parallel()
	pool := newPool(t, Options{})
	pids := map[string]bool{}
	for _, key := range []Key{
		{Owner: "ann", Server: 1, Version: 1},
		{Owner: "bob", Server: 1, Version: 1},
		{Owner: "ann", Server: 2, Version: 1},
		{Owner: "ann", Server: 1, Version: 1, Credential: 3},
		{Owner: "ann", Server: 1, Version: 1, Secrets: 2},
	} {
		target := childTarget("serve")
		target.Key = key
		res, err := call(t, pool, target, "pid", "")
		require.NoError(t, err)
		pids[res.Text()] = true
	}
	require.Len(t, pids, 5, "nor between versions of a credential or of secrets")
}

func TestNewVersionRetiresTheOlder(t *testing.T) {
	t.Parallel()
	pool := newPool(t, Options{})
	target := childTarget("serve")
	old, err := call(t, pool, target, "pid", "")
	require.NoError(t, err)
	target.Key.Version = 2
	_, err = call(t, pool, target, "echo", "")
	require.NoError(t, err)
	require.Eventually(t, func() bool { return gone(pidOf(t, old.Text())) }, patience, 5*time.Millisecond)
}

func TestIdleSessionIsClosed(t *testing.T) {
	t.Parallel()
	pool := newPool(t, Options{IdleClose: 50 * time.Millisecond})
	res, err := call(t, pool, childTarget("serve"), "pid", "")
	require.NoError(t, err)
	require.Eventually(t, func() bool { return sessions(pool) == 0 }, patience, 5*time.Millisecond)
	require.True(t, gone(pidOf(t, res.Text())))
	require.Eventually(t, func() bool {
		pool.mu.Lock()
		defer pool.mu.Unlock()
		return len(pool.slots) == 0
	}, patience, 5*time.Millisecond)
}

func TestMaxSessions(t *testing.T) {
	t.Parallel()
	pool := newPool(t, Options{MaxSessions: 1})
	first, second := childTarget("serve"), childTarget("serve")
	second.Key.Owner = "bob"
	res, err := call(t, pool, first, "pid", "")
	require.NoError(t, err)
	_, err = call(t, pool, second, "echo", "")
	require.NoError(t, err, "an idle session makes room")
	require.Eventually(t, func() bool { return gone(pidOf(t, res.Text())) && sessions(pool) == 1 }, patience, 5*time.Millisecond)

	s, _, dialErr := pool.acquire(t.Context(), second)
	require.Nil(t, dialErr)
	e := callError(t, pool, first, "echo", "")
	require.ErrorIs(t, e, ErrFull)
	require.Equal(t, NotRun, e.Ran)
	pool.release(s)
}

// One owner's sessions, however many and however stuck, leave the others theirs.
func TestShareOfAnOwner(t *testing.T) {
	t.Parallel()
	pool := newPool(t, Options{MaxSessions: 8})
	r := newRemote(t, EraModern)
	of := func(owner string, server int64) Target {
		target := r.target(EraModern)
		target.Key.Owner, target.Key.Server = owner, server
		return target
	}
	_, err := pool.Ping(t.Context(), of("bob", 1))
	require.NoError(t, err)
	var busy []*session
	for server := range int64(2) {
		s, _, err := pool.acquire(t.Context(), of("mallory", server))
		require.Nil(t, err)
		busy = append(busy, s)
	}
	for server := range int64(16) {
		e := callError(t, pool, of("mallory", 10+server), "echo", "")
		require.ErrorIs(t, e, ErrFull)
	}
	for server := range int64(2) {
		_, err := pool.Ping(t.Context(), of("bob", 1+server))
		require.NoError(t, err)
	}
	pool.release(busy[0])
	_, err = pool.Ping(t.Context(), of("mallory", 20))
	require.NoError(t, err, "an idle one of the owner's own makes room")
	pool.mu.Lock()
	require.True(t, busy[0].retired)
	require.Equal(t, 2, pool.shares["bob"])
	pool.mu.Unlock()
	pool.release(busy[1])
	require.NoError(t, pool.Close(t.Context()))
	require.Empty(t, pool.shares)
}

func TestClosedPool(t *testing.T) {
	t.Parallel()
	pool := newPool(t, Options{})
	require.NoError(t, pool.Close(t.Context()))
	e := callError(t, pool, childTarget("serve"), "echo", "")
	require.ErrorIs(t, e, ErrClosed)
}

func TestCloseDoesNotWaitForever(t *testing.T) {
	t.Parallel()
	pool := newPool(t, Options{})
	target := childTarget("serve")
	_, err := pool.Ping(t.Context(), target)
	require.NoError(t, err)
	dir := t.TempDir()
	failed := make(chan error, 1)
	go func() {
		_, err := pool.Call(context.Background(), target, Call{
			Tool: "hang", Arguments: []byte(`{"started":"` + dir + `/s","cancelled":"` + dir + `/c"}`),
		})
		failed <- err
	}()
	require.Eventually(t, func() bool { _, err := os.Stat(dir + "/s"); return err == nil }, patience, time.Millisecond)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, pool.Close(ctx), context.DeadlineExceeded)
	var e *Error
	require.ErrorAs(t, <-failed, &e)
	require.Equal(t, MaybeRun, e.Ran)
}

// 10,000 calls while children are killed at random leave no process, descriptor or goroutine behind. The
// calls that fail say that they may have run.
func TestNothingLeaksUnderKills(t *testing.T) { //nolint:paralleltest // it counts what the whole process holds
	pool := newPool(t, Options{})
	target := childTarget("serve")
	_, err := pool.Ping(t.Context(), target)
	require.NoError(t, err)
	descriptors, processes := count(t, "/proc/self/fd"), len(children(t))
	var failed int
	for range 10_000 {
		res, err := call(t, pool, target, "pid", "")
		if err != nil {
			var e *Error
			require.ErrorAs(t, err, &e)
			require.Equal(t, MaybeRun, e.Ran)
			failed++
			continue
		}
		if rand.IntN(100) == 0 {
			require.NoError(t, syscall.Kill(pidOf(t, res.Text()), syscall.SIGKILL))
		}
	}
	t.Logf("%d of 10,000 calls met a dying child", failed)
	_, err = pool.Ping(t.Context(), target) // asked again if the last call killed the child
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		return count(t, "/proc/self/fd") <= descriptors && len(children(t)) <= processes
	}, patience, 20*time.Millisecond, "descriptors %d, processes %d at the start", descriptors, processes)
}

func count(t *testing.T, dir string) int {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	return len(entries)
}

// children lists the processes whose parent we are, zombies included.
func children(t *testing.T) (pids []string) {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	require.NoError(t, err)
	for _, e := range entries {
		stat, err := os.ReadFile("/proc/" + e.Name() + "/stat")
		if err != nil {
			continue
		}
		if _, rest, ok := strings.Cut(string(stat), ") "); ok {
			if f := strings.Fields(rest); len(f) > 1 && f[1] == strconv.Itoa(os.Getpid()) {
				pids = append(pids, e.Name())
			}
		}
	}
	return pids
}

// BenchmarkCall compares a pooled call with one on a session of the SDK itself, both over stdio to the
// same server.
func BenchmarkCall(b *testing.B) {
	args := json.RawMessage(`{"text":"hello"}`)
	b.Run("pool", func(b *testing.B) {
		pool := newPool(b, Options{})
		target := childTarget("serve")
		_, err := pool.Ping(b.Context(), target)
		require.NoError(b, err)
		for b.Loop() {
			_, err := pool.Call(b.Context(), target, Call{Tool: "echo", Arguments: args})
			require.NoError(b, err)
		}
	})
	b.Run("sdk", func(b *testing.B) {
		child, err := process.Start(b.Context(), childTarget("serve").Stdio.spec(), &ring{})
		require.NoError(b, err)
		client := mcp.NewClient(&mcp.Implementation{Name: "bench"}, &mcp.ClientOptions{Logger: slog.New(slog.DiscardHandler)})
		session, err := client.Connect(b.Context(), &mcp.IOTransport{Reader: child.Stdout, Writer: child.Stdin}, nil)
		require.NoError(b, err)
		b.Cleanup(func() {
			if err := session.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
				b.Error(err)
			}
			child.Close()
			<-child.Exited()
		})
		for b.Loop() {
			_, err := session.CallTool(b.Context(), &mcp.CallToolParams{Name: "echo", Arguments: args})
			require.NoError(b, err)
		}
	})
}
