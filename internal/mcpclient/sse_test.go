package mcpclient

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"

	"steward/internal/secret"
)

// older is an MCP server of 2024-11-05.
type older struct {
	*httptest.Server
	refusal atomic.Int32                     // status of a POST to the address of the stream
	spoil   atomic.Pointer[http.HandlerFunc] // answers instead of the server
	posts   atomic.Int32                     // to the address of the stream
	streams atomic.Int32
	bearer  atomic.Value // of the last message
}

func newOlder(t *testing.T) *older {
	t.Helper()
	server := testServer()
	handler := mcp.NewSSEHandler(func(*http.Request) *mcp.Server { return server }, nil)
	o := &older{}
	o.refusal.Store(http.StatusMethodNotAllowed)
	o.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case o.spoil.Load() != nil:
			(*o.spoil.Load())(w, r)
		case r.Method == http.MethodPost && r.URL.RawQuery == "":
			o.posts.Add(1)
			http.Error(w, "not here", int(o.refusal.Load()))
		default:
			if r.Method == http.MethodGet {
				o.streams.Add(1)
			}
			o.bearer.Store(r.Header.Get("Authorization"))
			handler.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(func() {
		o.CloseClientConnections()
		o.Close()
	})
	return o
}

func (o *older) answers(f http.HandlerFunc) { o.spoil.Store(&f) }

func (o *older) target(wire Wire) Target {
	return Target{Key: Key{Owner: "ann", Server: 9, Version: 1}, Name: "older", Wire: wire, HTTP: &HTTP{URL: o.URL, Client: o.Client()}}
}

// The spec's rule: what refuses the first POST with 400, 404 or 405, and not in JSON-RPC, is asked for a stream.
func TestSSEFallback(t *testing.T) {
	t.Parallel()
	for status, helps := range map[int]bool{400: true, 404: true, 405: true, 401: false, 403: false, 406: false, 500: false} {
		for _, era := range []Era{"", EraLegacy, EraModern} {
			t.Run(fmt.Sprint(status, era), func(t *testing.T) {
				t.Parallel()
				o := newOlder(t)
				o.refusal.Store(int32(status))
				pool := newPool(t, Options{})
				target := o.target("")
				target.Era = era
				info, err := pool.Ping(t.Context(), target)
				if !helps {
					var e *Error
					require.ErrorAs(t, err, &e)
					require.Equal(t, status, e.Status)
					require.Zero(t, o.streams.Load())
					return
				}
				require.NoError(t, err)
				require.Equal(t, WireSSE, info.Wire)
				require.Equal(t, EraLegacy, info.Era)
				res, err := call(t, pool, target, "exact", "")
				require.NoError(t, err)
				require.Equal(t, `{"big":12345678901234567890,"money":1234.50}`, string(res.Structured))
				require.EqualValues(t, 1, o.streams.Load())
			})
		}
	}
}

// A refusal in JSON-RPC comes from a server that knows what it was asked.
func TestNoSSEAfterAJSONRPCError(t *testing.T) {
	t.Parallel()
	o := newOlder(t)
	var streams atomic.Int32
	o.answers(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			streams.Add(1)
		}
		rpcError(400)(w, r)
	})
	e := callError(t, newPool(t, Options{}), o.target(""), "echo", "")
	require.Equal(t, http.StatusBadRequest, e.Status)
	require.EqualValues(t, -32000, e.Code)
	require.Zero(t, streams.Load())
}

// A server known for SSE is asked for its stream at once; one that moved on is found by a POST again.
func TestKnownSSE(t *testing.T) {
	t.Parallel()
	o := newOlder(t)
	pool := newPool(t, Options{})
	info, err := pool.Ping(t.Context(), o.target(WireSSE))
	require.NoError(t, err)
	require.Equal(t, WireSSE, info.Wire)
	require.Zero(t, o.posts.Load())

	r := newRemote(t, EraModern)
	moved := r.target("")
	moved.Wire = WireSSE
	var seen []Negotiated
	pool = newPool(t, Options{OnSeen: func(_ context.Context, _ Key, n Negotiated) { seen = append(seen, n) }})
	_, err = pool.Ping(t.Context(), moved)
	require.NoError(t, err)
	require.Len(t, seen, 1)
	require.Equal(t, WireStreamable, seen[0].Wire)
}

func TestSSESession(t *testing.T) {
	t.Parallel()
	o := newOlder(t)
	target := o.target(WireSSE)
	target.HTTP.Header = map[string]secret.String{"Authorization": secret.New("Bearer t0ken")}
	pool := newPool(t, Options{})

	requireProgress(t, pool, target)
	require.Equal(t, "Bearer t0ken", o.bearer.Load())
	e := cancelCall(t, pool, target)
	require.ErrorIs(t, e, context.Canceled)
	e = callError(t, pool, target, "nonesuch", "")
	require.EqualValues(t, -32602, e.Code)
	require.Equal(t, StageResult, e.Stage)

	before, err := pool.Tools(t.Context(), target)
	require.NoError(t, err)
	_, err = call(t, pool, target, "change", "")
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		after, err := pool.Tools(t.Context(), target)
		return err == nil && len(after) == len(before)+1
	}, patience, 10*time.Millisecond)
	require.EqualValues(t, 1, o.streams.Load(), "one session for all of it")

	e = callError(t, pool, target, "big", `{"bytes":"11000000"}`)
	require.ErrorIs(t, e, ErrTooLarge)
	require.Equal(t, MaybeRun, e.Ran)
	_, err = call(t, pool, target, "echo", "")
	require.NoError(t, err)
	require.EqualValues(t, 2, o.streams.Load())
}

// What happens to a message that is posted decides whether the call ran.
func TestSSEFailures(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		status int
		ran    Ran
	}{
		"unauthorized": {401, NotRun}, "limited": {429, NotRun}, "forgotten": {404, MaybeRun}, "broken": {500, MaybeRun},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOlder(t)
			pool := newPool(t, Options{})
			_, err := pool.Ping(t.Context(), o.target(WireSSE))
			require.NoError(t, err)
			o.answers(status(tt.status, "WWW-Authenticate", "Bearer"))
			e := callError(t, pool, o.target(WireSSE), "echo", "")
			require.Equal(t, tt.ran, e.Ran)
			require.Equal(t, tt.status, e.Status)
			o.spoil.Store(nil)
			_, err = call(t, pool, o.target(WireSSE), "echo", "")
			require.NoError(t, err)
		})
	}
}

// What a stream may do instead of naming an address of its own.
func TestHostileStreams(t *testing.T) {
	t.Parallel()
	var posted atomic.Int32
	thief := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { posted.Add(1) }))
	t.Cleanup(thief.Close)
	for name, stream := range map[string]string{
		"elsewhere":     "event: endpoint\ndata: " + thief.URL + "/m\n\n",
		"scheme":        "event: endpoint\ndata: file:///etc/passwd\n\n",
		"no address":    "event: endpoint\ndata: http://[\n\n",
		"another event": "data: {}\n\n",
		"nothing":       "",
		"too much":      "data: " + strings.Repeat("x", MaxMessage+1),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOlder(t)
			o.answers(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPost {
					http.Error(w, "no", http.StatusMethodNotAllowed)
					return
				}
				w.Header().Set("Content-Type", "text/event-stream")
				_, _ = io.WriteString(w, stream)
			})
			e := callError(t, newPool(t, Options{}), o.target(WireSSE), "echo", "")
			require.Equal(t, NotRun, e.Ran)
			require.Equal(t, StageHandshake, e.Stage)
		})
	}
	require.Zero(t, posted.Load())
}

// A slow loris drips comments for ever: at the beginning, or instead of an answer.
func TestSlowLoris(t *testing.T) {
	t.Parallel()
	drip := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-r.Context().Done():
				return
			case <-tick.C:
				_, _ = io.WriteString(w, ": drip\n\n")
				w.(http.Flusher).Flush()
			}
		}
	}
	t.Run("older stream", func(t *testing.T) {
		t.Parallel()
		o := newOlder(t)
		o.answers(drip)
		pool := newPool(t, Options{})
		target := o.target(WireSSE)
		target.Timeout = 200 * time.Millisecond
		e := callError(t, pool, target, "echo", "")
		require.ErrorIs(t, e, context.DeadlineExceeded)
		require.Equal(t, NotRun, e.Ran)
	})
	for _, era := range bothEras {
		t.Run(string(era), func(t *testing.T) {
			t.Parallel()
			r := newRemote(t, era)
			pool := newPool(t, Options{})
			_, err := pool.Ping(t.Context(), r.target(era))
			require.NoError(t, err)
			r.onCall(drip)
			target := r.target(era)
			target.Timeout = 300 * time.Millisecond
			e := callError(t, pool, target, "echo", "")
			require.ErrorIs(t, e, context.DeadlineExceeded)
			require.Equal(t, MaybeRun, e.Ran)
			res, err := pool.Call(t.Context(), r.target(era), Call{Tool: "echo", Arguments: json.RawMessage(`{"text":"fine"}`)})
			require.NoError(t, err)
			require.Equal(t, "fine", res.Text())
		})
	}
}
