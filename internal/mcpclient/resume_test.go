package mcpclient

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/secret"
)

// shelf is a SessionStore in memory, of one process.
type shelf struct{ *board }

// board is what all processes share.
type board struct {
	mu    sync.Mutex
	kept  []*keptRow // the last is the one used last
	count int64
	err   error
}

type keptRow struct {
	id      int64
	key     Key
	session []byte
	holder  *shelf
	uses    int
}

func newShelf() *shelf { return &shelf{&board{}} }

// other is the shelf of another process.
func (s *shelf) other() *shelf { return &shelf{s.board} }

// die lets go of everything, as the death of the process does.
func (s *shelf) die() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, row := range s.kept {
		if row.holder == s {
			row.holder, row.uses = nil, 0
		}
	}
}

// put keeps what nobody has.
func (s *shelf) put(k Key, session []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count++
	s.kept = append(s.kept, &keptRow{id: s.count, key: k, session: session})
}

func (s *shelf) Take(_ context.Context, k Key) (int64, []byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, row := range slices.Backward(s.kept) {
		if row.key.Owner == k.Owner && row.key.Server == k.Server && row.key.Version == k.Version && (row.holder == nil || row.holder == s) {
			row.holder = s
			row.uses++
			return row.id, row.session, s.err
		}
	}
	return 0, nil, s.err
}

func (s *shelf) Save(ctx context.Context, k Key, session []byte) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := errors.Join(ctx.Err(), s.err); err != nil { // as a database would
		return 0, err
	}
	s.count++
	s.kept = append(s.kept, &keptRow{id: s.count, key: k, session: session, holder: s, uses: 1})
	return s.count, nil
}

func (s *shelf) Leave(_ context.Context, id int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, row := range s.kept {
		if row.id == id && row.holder == s {
			if row.uses--; row.uses == 0 {
				row.holder = nil
			}
		}
	}
	return s.err
}

func (s *shelf) Delete(_ context.Context, id int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept = slices.DeleteFunc(s.kept, func(row *keptRow) bool { return row.id == id })
	return s.err
}

func (s *shelf) id(t *testing.T, k Key) string {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, row := range slices.Backward(s.kept) {
		if row.key.Owner == k.Owner && row.key.Server == k.Server && row.key.Version == k.Version {
			var saved savedSession
			require.NoError(t, json.Unmarshal(row.session, &saved))
			return saved.ID
		}
	}
	return ""
}

func closed(t *testing.T, pool *Pool) {
	t.Helper()
	require.NoError(t, pool.Close(t.Context()))
}

// Another process goes on with the session of an older server, and nobody shakes hands again.
func TestSessionOutlivesThePool(t *testing.T) {
	t.Parallel()
	r, kept := newRemote(t, EraLegacy), newShelf()
	target := r.target(EraLegacy)
	target.HTTP.Header = map[string]secret.String{"X-Figma-Token": secret.New("t")}
	var ids sync.Map
	var deletes atomic.Int32
	r.on(func(_ http.ResponseWriter, req *http.Request, method string) bool {
		if method == "tools/call" {
			ids.Store(req.Header.Get(sessionHeader)+" "+req.Header.Get("Mcp-Protocol-Version"), true)
		}
		if req.Method == http.MethodDelete {
			deletes.Add(1)
		}
		return false
	})
	for range 3 {
		pool := newPool(t, Options{Sessions: kept})
		_, err := call(t, pool, target, "echo", "")
		require.NoError(t, err)
		tools, err := pool.Tools(t.Context(), target)
		require.NoError(t, err)
		require.NotEmpty(t, tools)
		closed(t, pool)
	}
	require.EqualValues(t, 1, r.hello.Load())
	require.Zero(t, deletes.Load())
	n := 0
	ids.Range(func(id, _ any) bool {
		n++
		require.Equal(t, kept.id(t, target.Key)+" 2025-11-25", id)
		return true
	})
	require.Equal(t, 1, n)
}

// A server that lost the session gets a new handshake, before any call goes out.
func TestSessionThatIsGone(t *testing.T) {
	t.Parallel()
	for _, code := range []int{http.StatusNotFound, http.StatusBadRequest} {
		r, kept := newRemote(t, EraLegacy), newShelf()
		target := r.target(EraLegacy)
		pool := newPool(t, Options{Sessions: kept})
		_, err := call(t, pool, target, "echo", "")
		require.NoError(t, err)
		closed(t, pool)
		old := kept.id(t, target.Key)
		require.NotEmpty(t, old)
		r.on(func(w http.ResponseWriter, req *http.Request, _ string) bool {
			if req.Header.Get(sessionHeader) != old {
				return false
			}
			w.WriteHeader(code)
			return true
		})
		pool = newPool(t, Options{Sessions: kept})
		_, err = call(t, pool, target, "echo", "")
		require.NoError(t, err)
		require.EqualValues(t, 2, r.calls.Load(), "each call was sent once")
		require.EqualValues(t, 2, r.hello.Load())
		require.NotEqual(t, old, kept.id(t, target.Key))

		// And once more in the middle of its life.
		middle := kept.id(t, target.Key)
		r.onCall(status(http.StatusNotFound))
		_, err = call(t, pool, target, "echo", "")
		require.NoError(t, err)
		require.EqualValues(t, 3, r.hello.Load())
		require.NotEqual(t, middle, kept.id(t, target.Key))
	}
}

// What says nothing about the session leaves it kept.
func TestSessionIsKeptThroughRefusals(t *testing.T) {
	t.Parallel()
	for _, code := range []int{401, 403, 429, 503} {
		r, kept := newRemote(t, EraLegacy), newShelf()
		target := r.target("")
		pool := newPool(t, Options{Sessions: kept})
		_, err := call(t, pool, target, "echo", "")
		require.NoError(t, err)
		closed(t, pool)
		old := kept.id(t, target.Key)
		pool = newPool(t, Options{Sessions: kept})
		r.on(func(w http.ResponseWriter, _ *http.Request, _ string) bool { w.WriteHeader(code); return true })
		e := callError(t, pool, target, "echo", "")
		require.Equal(t, code, e.Status)
		require.Equal(t, NotRun, e.Ran)
		r.spoil.Store(nil)
		_, err = call(t, pool, target, "echo", "")
		require.NoError(t, err)
		require.Equal(t, old, kept.id(t, target.Key))
		require.EqualValues(t, 2, r.hello.Load(), "probe and handshake of the first pool")
	}
}

// Sessions are given up with what they belonged to: older versions, and what Retire names.
func TestSessionIsForgotten(t *testing.T) {
	t.Parallel()
	r, kept := newRemote(t, EraLegacy), newShelf()
	var deletes atomic.Int32
	r.on(func(_ http.ResponseWriter, req *http.Request, _ string) bool {
		if req.Method == http.MethodDelete {
			deletes.Add(1)
		}
		return false
	})
	pool := newPool(t, Options{Sessions: kept})
	first, second := r.target(EraLegacy), r.target(EraLegacy)
	second.Key.Version = 2
	for _, target := range []Target{first, second} {
		_, err := call(t, pool, target, "echo", "")
		require.NoError(t, err)
	}
	require.Eventually(t, func() bool { return kept.id(t, first.Key) == "" && deletes.Load() == 1 }, patience, time.Millisecond)
	require.NotEmpty(t, kept.id(t, second.Key))
	pool.Retire("", second.Key.Server, 0)
	require.Eventually(t, func() bool { return kept.id(t, second.Key) == "" && deletes.Load() == 2 }, patience, time.Millisecond)
}

// No session is kept for 2026-07-28, which has none, nor without a store that works.
func TestSessionIsNotKept(t *testing.T) {
	t.Parallel()
	modern, kept := newRemote(t, EraModern), newShelf()
	pool := newPool(t, Options{Sessions: kept})
	_, err := call(t, pool, modern.target(""), "echo", "")
	require.NoError(t, err)
	require.Empty(t, kept.kept)

	legacy := newRemote(t, EraLegacy)
	kept.err = errors.New("down")
	_, err = call(t, pool, legacy.target(""), "echo", "")
	require.NoError(t, err)
	kept.err = nil
	for _, nonsense := range []string{"{", `{"id":"x"}`, "null", ""} {
		kept.put(legacy.target("").Key, []byte(nonsense))
		other := newPool(t, Options{Sessions: kept})
		_, err = call(t, other, legacy.target(""), "echo", "")
		require.NoError(t, err)
	}
}

// What was opened with a value that its owner has replaced since is not gone on with, and does not take the newer one along.
func TestSessionIsOfWhatOpenedIt(t *testing.T) {
	t.Parallel()
	r, kept := newRemote(t, EraLegacy), newShelf()
	target := r.target(EraLegacy)
	for _, version := range []int64{1, 2, 2} {
		target.Key.Secrets = version
		pool := newPool(t, Options{Sessions: kept})
		_, err := call(t, pool, target, "echo", "")
		require.NoError(t, err)
		closed(t, pool)
		require.NotEmpty(t, kept.id(t, target.Key))
	}
	require.EqualValues(t, 2, r.hello.Load())
	require.Len(t, kept.kept, 1, "what nobody goes on with any more is not kept")
	target.Key.Secrets = 1
	late := newPool(t, Options{Sessions: kept})
	_, err := call(t, late, target, "echo", "")
	require.NoError(t, err)
	target.Key.Secrets = 2
	pool := newPool(t, Options{Sessions: kept.other()})
	_, err = call(t, pool, target, "echo", "")
	require.NoError(t, err)
	require.EqualValues(t, 3, r.hello.Load(), "it is not of the older value")
}

// Two living processes each have a session of their own; who comes after a process that was killed goes on with its
// one, under request ids that it cannot have used.
func TestSessionIsUsedByOneProcess(t *testing.T) {
	t.Parallel()
	r, kept := newRemote(t, EraLegacy), newShelf()
	target := r.target(EraLegacy)
	var mu sync.Mutex
	used := map[string][]int64{} // ids of calls, by session
	r.on(func(_ http.ResponseWriter, req *http.Request, method string) bool {
		var msg struct{ ID int64 }
		body, err := io.ReadAll(req.Body)
		req.Body = io.NopCloser(bytes.NewReader(body))
		if err == nil && json.Unmarshal(body, &msg) == nil && method == "tools/call" {
			mu.Lock()
			defer mu.Unlock()
			id := req.Header.Get(sessionHeader)
			used[id] = append(used[id], msg.ID)
		}
		return false
	})
	first, second := newPool(t, Options{Sessions: kept}), newPool(t, Options{Sessions: kept.other()})
	for range 3 {
		for _, pool := range []*Pool{first, second} {
			_, err := call(t, pool, target, "echo", "")
			require.NoError(t, err)
		}
	}
	require.Len(t, used, 2)
	require.EqualValues(t, 2, r.hello.Load())

	kept.die() // and first has calls under way, for all that the server knows
	heir := newPool(t, Options{Sessions: kept.other()})
	for range 3 {
		_, err := call(t, heir, target, "echo", "")
		require.NoError(t, err)
	}
	require.EqualValues(t, 2, r.hello.Load(), "no new session")
	requireProgress(t, heir, target)
	_ = cancelCall(t, heir, target)
	mu.Lock()
	defer mu.Unlock()
	require.Len(t, used, 2)
	for _, ids := range used {
		slices.Sort(ids)
		require.Len(t, slices.Compact(slices.Clone(ids)), len(ids), "%v", ids)
	}
}
