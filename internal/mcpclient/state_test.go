package mcpclient

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// states records what a pool tells.
type states struct {
	mu   sync.Mutex
	told []State
	why  error
}

func (s *states) hear(_ context.Context, _ Key, state State, why error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.told = append(s.told, state)
	if why != nil {
		s.why = why
	}
}

func (s *states) equal(want ...State) func() bool {
	return func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		if len(s.told) != len(want) {
			return false
		}
		for i := range want {
			if s.told[i] != want[i] {
				return false
			}
		}
		return true
	}
}

func TestStates(t *testing.T) {
	t.Parallel()
	var heard states
	pool := newPool(t, Options{OnState: heard.hear, IdleClose: 50 * time.Millisecond})
	_, err := pool.Ping(t.Context(), childTarget("serve"))
	require.NoError(t, err)
	require.Eventually(t, heard.equal(StateConnecting, StateConnected, StateDisconnected), patience, time.Millisecond)

	heard = states{}
	_ = callError(t, pool, childTarget("does-not-start"), "echo", "")
	require.True(t, heard.equal(StateConnecting, StateError)())
	var e *Error
	require.ErrorAs(t, heard.why, &e)
	require.NotEmpty(t, e.Stderr)
}

func TestRetire(t *testing.T) {
	t.Parallel()
	pool := newPool(t, Options{})
	pids := map[Key]int{}
	open := func(owner string, server, version int64) Key {
		target := childTarget("serve")
		target.Key = Key{Owner: owner, Server: server, Version: version}
		res, err := call(t, pool, target, "pid", "")
		require.NoError(t, err)
		pids[target.Key] = pidOf(t, res.Text())
		return target.Key
	}
	ann, bob, other := open("ann", 1, 1), open("bob", 1, 2), open("ann", 2, 1)
	retired := func(k Key) func() bool { return func() bool { return gone(pids[k]) } }

	pool.Retire("", 1, 2)
	require.Eventually(t, retired(ann), patience, time.Millisecond)
	require.False(t, retired(bob)())
	pool.Retire("ann", 1, 0)
	pool.Retire("bob", 1, 0)
	require.Eventually(t, retired(bob), patience, time.Millisecond)
	require.False(t, retired(other)())
	require.Eventually(t, func() bool { return sessions(pool) == 1 }, patience, time.Millisecond)
}

// A session that was retired while it was being opened is opened again for those who wait for it.
func TestRetireDuringADial(t *testing.T) {
	t.Parallel()
	r := newRemote(t, EraModern)
	var once sync.Once
	pool := newPool(t, Options{})
	r.on(func(http.ResponseWriter, *http.Request, string) bool {
		once.Do(func() { pool.Retire("", 7, 0) })
		return false
	})
	_, err := call(t, pool, r.target(""), "echo", "")
	require.NoError(t, err)
	require.EqualValues(t, 2, r.hello.Load())
}

// The list is as old as the caller lets it be, whatever the server or go-sdk would keep.
func TestToolsWithin(t *testing.T) {
	t.Parallel()
	for _, era := range bothEras {
		r, pool := newRemote(t, era), newPool(t, Options{})
		var lists int
		r.on(func(_ http.ResponseWriter, _ *http.Request, method string) bool {
			if method == "tools/list" {
				lists++
			}
			return false
		})
		for age, want := range map[time.Duration]int{time.Hour: 1, 0: 4} {
			lists = 0
			pool.Retire("", 7, 0)
			for range 4 {
				tools, err := pool.ToolsWithin(t.Context(), r.target(era), age)
				require.NoError(t, err)
				require.NotEmpty(t, tools)
			}
			require.Equal(t, want, lists)
		}
	}
}
