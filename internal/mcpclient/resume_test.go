package mcpclient

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/secret"
)

// shelf is a SessionStore in memory.
type shelf struct {
	mu   sync.Mutex
	kept map[Key][]byte
	err  error
}

func newShelf() *shelf { return &shelf{kept: map[Key][]byte{}} }

func (s *shelf) Load(_ context.Context, k Key) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.kept[k], s.err
}

func (s *shelf) Save(ctx context.Context, k Key, session []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil { // as a database would
		return err
	}
	s.kept[k] = session
	return s.err
}

func (s *shelf) Delete(_ context.Context, k Key) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.kept, k)
	return s.err
}

func (s *shelf) id(t *testing.T, k Key) string {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.kept[k] == nil {
		return ""
	}
	var saved savedSession
	require.NoError(t, json.Unmarshal(s.kept[k], &saved))
	return saved.ID
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
		kept.kept[legacy.target("").Key] = []byte(nonsense)
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
	id := ""
	for _, version := range []int64{1, 2, 2} {
		target.Key.Secrets = version
		pool := newPool(t, Options{Sessions: oneShelf{kept}})
		_, err := call(t, pool, target, "echo", "")
		require.NoError(t, err)
		closed(t, pool)
		id = kept.id(t, Key{Owner: target.Key.Owner, Server: target.Key.Server})
		require.NotEmpty(t, id)
	}
	require.EqualValues(t, 2, r.hello.Load())
	d := dialer{sessions: oneShelf{kept}, log: slog.New(slog.DiscardHandler)}
	d.forget(t.Context(), Key{Owner: target.Key.Owner, Server: target.Key.Server, Secrets: 1})
	require.Equal(t, id, kept.id(t, Key{Owner: target.Key.Owner, Server: target.Key.Server}), "it is not of the older value")
}

// oneShelf keeps one session for an owner and a server, as the registry's does.
type oneShelf struct{ *shelf }

func (s oneShelf) Load(ctx context.Context, k Key) ([]byte, error) {
	return s.shelf.Load(ctx, Key{Owner: k.Owner, Server: k.Server})
}

func (s oneShelf) Save(ctx context.Context, k Key, session []byte) error {
	return s.shelf.Save(ctx, Key{Owner: k.Owner, Server: k.Server}, session)
}

func (s oneShelf) Delete(ctx context.Context, k Key) error {
	return s.shelf.Delete(ctx, Key{Owner: k.Owner, Server: k.Server})
}
