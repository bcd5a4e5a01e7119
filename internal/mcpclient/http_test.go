package mcpclient

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"

	"steward/internal/secret"
)

// remote is an MCP server over HTTP whose answers a test can spoil.
type remote struct {
	*httptest.Server
	spoil atomic.Pointer[func(w http.ResponseWriter, r *http.Request, method string) bool] // true: answered
	calls atomic.Int32                                                                     // tools/call seen
	hello atomic.Int32                                                                     // initialize and server/discover seen
	ended atomic.Int32                                                                     // notifications/cancelled taken
}

func newRemote(t *testing.T, era Era) *remote {
	t.Helper()
	opts := &mcp.StreamableHTTPOptions{SessionTimeout: time.Minute}
	if era == EraModern {
		opts = &mcp.StreamableHTTPOptions{Stateless: true, PropagateRequestCancellation: true}
	}
	server := testServer()
	handler := mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return server }, opts)
	r := &remote{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return
		}
		req.Body = io.NopCloser(bytes.NewReader(body))
		var msg struct{ Method string }
		_ = json.Unmarshal(body, &msg) // GET and DELETE have none
		switch msg.Method {
		case "tools/call":
			r.calls.Add(1)
		case "initialize", "server/discover":
			r.hello.Add(1)
		case "notifications/cancelled":
			defer r.ended.Add(1)
		}
		if spoil := r.spoil.Load(); spoil != nil && (*spoil)(w, req, msg.Method) {
			return
		}
		handler.ServeHTTP(w, req)
	}))
	t.Cleanup(func() {
		r.CloseClientConnections()
		r.Close()
		for session := range server.Sessions() {
			_ = session.Close() // those whose client was made to forget them
		}
	})
	return r
}

// onCall spoils the next tools/call, and only that.
func (r *remote) onCall(f http.HandlerFunc) {
	var once sync.Once
	r.on(func(w http.ResponseWriter, req *http.Request, method string) (done bool) {
		if method == "tools/call" {
			once.Do(func() {
				f(w, req)
				done = true
			})
		}
		return done
	})
}

func (r *remote) on(f func(w http.ResponseWriter, r *http.Request, method string) bool) {
	r.spoil.Store(&f)
}

func (r *remote) target(era Era) Target {
	return Target{Key: Key{Owner: "ann", Server: 7, Version: 1}, Name: "remote", Era: era, HTTP: &HTTP{URL: r.URL, Client: r.Client()}}
}

func status(code int, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(code)
	}
}

var bothEras = []Era{EraModern, EraLegacy}

func TestHTTPEra(t *testing.T) {
	t.Parallel()
	for _, era := range bothEras {
		t.Run(string(era), func(t *testing.T) {
			t.Parallel()
			r := newRemote(t, era)
			pool := newPool(t, Options{})
			info, err := pool.Ping(t.Context(), r.target(""))
			require.NoError(t, err)
			require.Equal(t, era, info.Era)
			_, err = pool.Ping(t.Context(), r.target(era))
			require.NoError(t, err)
			tools, err := pool.Tools(t.Context(), r.target(era))
			require.NoError(t, err)
			require.Equal(t, "ask", tools[0].Name)
			require.Contains(t, string(tools[0].Definition), `"description":"does ask"`)
			res, err := call(t, pool, r.target(era), "exact", "")
			require.NoError(t, err)
			require.Equal(t, `{"big":12345678901234567890,"money":1234.50}`, string(res.Structured))
			require.Equal(t, 1, sessions(pool))
		})
	}
}

// The table of reference/mcp.md §2.1 for HTTP. Whatever happened, the call after it works.
func TestHTTPFailures(t *testing.T) {
	t.Parallel()
	cut := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, "data: {\"jsonrpc\":\"2.0\",")
		panic(http.ErrAbortHandler)
	}
	large := func(kind, before string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			_, _ = io.WriteString(w, before+`{"jsonrpc":"2.0","id":99,"result":"`)
			_, _ = io.WriteString(w, strings.Repeat("x", MaxMessage))
			_, _ = io.WriteString(w, "\"}\n\n")
		}
	}
	slow := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	tests := map[string]struct {
		spoil http.HandlerFunc
		ran   Ran
		stage Stage
		cause error
	}{
		"400 without an answer":   {status(400), MaybeRun, StageAnswer, nil},
		"401":                     {status(401), NotRun, StageAnswer, nil},
		"403":                     {status(403), MaybeRun, StageAnswer, nil},
		"429":                     {status(429, "Retry-After", "7"), NotRun, StageAnswer, nil},
		"500":                     {status(500), MaybeRun, StageAnswer, nil},
		"502":                     {status(502), MaybeRun, StageAnswer, nil},
		"503":                     {status(503, "Retry-After", "7"), MaybeRun, StageAnswer, nil},
		"stream cut":              {cut, MaybeRun, StageAnswer, nil},
		"nothing understandable":  {status(200, "Content-Type", "text/html"), MaybeRun, StageAnswer, nil},
		"deadline":                {slow, MaybeRun, StageAnswer, context.DeadlineExceeded},
		"JSON over 10 MiB":        {large("application/json", ""), MaybeRun, StageAnswer, ErrTooLarge},
		"event over 10 MiB":       {large("text/event-stream", "data: "), MaybeRun, StageAnswer, ErrTooLarge},
		"resumable, over 10 MiB":  {large("text/event-stream", "id: 1\ndata:\n\n"+"data: "), MaybeRun, StageAnswer, ErrTooLarge},
		"400 with a JSON-RPC one": {rpcError(400), MaybeRun, StageResult, nil},
		"200 with a JSON-RPC one": {rpcError(200), MaybeRun, StageResult, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, era := range bothEras {
				t.Run(string(era), func(t *testing.T) {
					t.Parallel()
					r := newRemote(t, era)
					limit := 30 * time.Second
					if errors.Is(tt.cause, context.DeadlineExceeded) {
						limit = 500 * time.Millisecond
					}
					pool := newPool(t, Options{CallTimeout: limit})
					_, err := pool.Ping(patiently(t), r.target(era))
					require.NoError(t, err)
					r.onCall(tt.spoil)
					e := callError(t, pool, r.target(era), "echo", `{"text":"spoiled"}`)
					require.Equal(t, tt.ran, e.Ran)
					require.Equal(t, tt.stage, e.Stage, e)
					if tt.cause != nil {
						require.ErrorIs(t, e, tt.cause)
					}
					if e.Status == 429 || e.Status == 503 {
						require.Equal(t, 7*time.Second, e.RetryAfter)
					}
					if tt.stage == StageResult {
						require.EqualValues(t, -32000, e.Code)
					}
					require.EqualValues(t, 1, r.calls.Load(), "sent once")
					res, err := pool.Call(patiently(t), r.target(era), Call{Tool: "echo", Arguments: json.RawMessage(`{"text":"fine"}`)})
					require.NoError(t, err)
					require.Equal(t, "fine", res.Text())
				})
			}
		})
	}
}

func rpcError(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		id := idOf(r)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		_, _ = fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"error":{"code":-32000,"message":"no"}}`, id)
	}
}

func idOf(r *http.Request) string {
	body, _ := io.ReadAll(r.Body)
	var req struct{ ID json.RawMessage }
	_ = json.Unmarshal(body, &req)
	return string(req.ID)
}

// A server that forgot our session has not looked at the call: it goes out again on a new session.
func TestHTTPForgottenSession(t *testing.T) {
	t.Parallel()
	r := newRemote(t, EraLegacy)
	pool := newPool(t, Options{})
	_, err := pool.Ping(t.Context(), r.target(EraLegacy))
	require.NoError(t, err)
	r.onCall(status(404))
	res, err := call(t, pool, r.target(EraLegacy), "echo", `{"text":"again"}`)
	require.NoError(t, err)
	require.Equal(t, "again", res.Text())
	require.EqualValues(t, 2, r.calls.Load())
	require.EqualValues(t, 2, r.hello.Load())
}

// A server of today has no session to forget: what it does not find may have run, for all that we know.
func TestHTTPNotFound(t *testing.T) {
	t.Parallel()
	r := newRemote(t, EraModern)
	pool := newPool(t, Options{})
	_, err := pool.Ping(t.Context(), r.target(EraModern))
	require.NoError(t, err)
	r.onCall(status(404))
	e := callError(t, pool, r.target(EraModern), "echo", "")
	require.Equal(t, MaybeRun, e.Ran)
	_, err = call(t, pool, r.target(EraModern), "echo", "")
	require.NoError(t, err)
	require.EqualValues(t, 3, r.hello.Load(), "two sessions and a ping")
}

func TestHTTPUnreachable(t *testing.T) {
	t.Parallel()
	for _, era := range bothEras {
		t.Run(string(era), func(t *testing.T) {
			t.Parallel()
			r := newRemote(t, era)
			pool := newPool(t, Options{})
			_, err := pool.Ping(t.Context(), r.target(era))
			require.NoError(t, err)
			r.CloseClientConnections()
			r.Close()
			e := callError(t, pool, r.target(era), "echo", "")
			require.Equal(t, NotRun, e.Ran)
			require.Equal(t, StageStart, e.Stage)
			var dial *net.OpError
			require.ErrorAs(t, e, &dial)
			require.Equal(t, "dial", dial.Op)
			require.Zero(t, r.calls.Load())
		})
	}
}

func TestHTTPListChanged(t *testing.T) {
	t.Parallel()
	for _, era := range bothEras {
		t.Run(string(era), func(t *testing.T) {
			t.Parallel()
			r := newRemote(t, era)
			pool := newPool(t, Options{})
			before, err := pool.Tools(t.Context(), r.target(era))
			require.NoError(t, err)
			_, err = call(t, pool, r.target(era), "change", "")
			require.NoError(t, err)
			require.Eventually(t, func() bool {
				after, err := pool.Tools(t.Context(), r.target(era))
				return err == nil && len(after) == len(before)+1
			}, patience, 10*time.Millisecond)
		})
	}
}

func TestHTTPProgressAndCancel(t *testing.T) {
	t.Parallel()
	for _, era := range bothEras {
		t.Run(string(era), func(t *testing.T) {
			t.Parallel()
			r := newRemote(t, era)
			pool := newPool(t, Options{})
			requireProgress(t, pool, r.target(era))

			e := cancelCall(t, pool, r.target(era))
			require.ErrorIs(t, e, context.Canceled)
			require.Equal(t, MaybeRun, e.Ran)
		})
	}
}

// Secrets in headers are for the registered origin. A redirect elsewhere must not carry them along.
func TestHTTPHeaderStaysAtItsOrigin(t *testing.T) {
	t.Parallel()
	var leaked atomic.Bool
	thief := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			leaked.Store(true)
		}
	}))
	t.Cleanup(thief.Close)
	r := newRemote(t, EraLegacy)
	var seen atomic.Value
	r.on(func(w http.ResponseWriter, req *http.Request, method string) bool {
		seen.Store(req.Header.Get("Authorization"))
		if method == "tools/call" {
			http.Redirect(w, req, thief.URL, http.StatusTemporaryRedirect)
			return true
		}
		return false
	})
	target := r.target(EraLegacy)
	target.HTTP.Header = map[string]secret.String{"Authorization": secret.New("Bearer t0ken")}
	pool := newPool(t, Options{})
	_ = callError(t, pool, target, "echo", "") // the thief is no MCP server
	require.Equal(t, "Bearer t0ken", seen.Load())
	require.False(t, leaked.Load())
}

// 64 callers share one session; no answer goes astray (T-38).
func TestHTTPManyCallers(t *testing.T) {
	t.Parallel()
	for _, era := range bothEras {
		t.Run(string(era), func(t *testing.T) {
			t.Parallel()
			r := newRemote(t, era)
			pool := newPool(t, Options{})
			var wg sync.WaitGroup
			for caller := range 64 {
				wg.Go(func() {
					for i := range 5 {
						want := fmt.Sprintf("%d/%d", caller, i)
						res, err := call(t, pool, r.target(era), "echo", fmt.Sprintf(`{"text":%q}`, want))
						if err != nil || res.Text() != want {
							t.Errorf("caller %s: %v, %v", want, res, err)
						}
					}
				})
			}
			wg.Wait()
			require.Equal(t, 1, sessions(pool))
		})
	}
}
