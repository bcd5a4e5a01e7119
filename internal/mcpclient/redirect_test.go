package mcpclient

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/secret"
)

// A redirect takes neither arguments nor the session to another origin (T-06, T-16).
func TestRedirectsTakeNothingElsewhere(t *testing.T) {
	t.Parallel()
	for _, era := range bothEras {
		for _, code := range []int{301, 302, 303, 307, 308} {
			var reached atomic.Int32
			thief := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
			t.Cleanup(thief.Close)
			r := newRemote(t, era)
			pool := newPool(t, Options{})
			_, err := pool.Ping(t.Context(), r.target(era))
			require.NoError(t, err)
			r.onCall(status(code, "Location", thief.URL))
			e := callError(t, pool, r.target(era), "echo", `{"text":"secret"}`)
			require.ErrorIs(t, e, ErrElsewhere)
			require.Equal(t, MaybeRun, e.Ran)
			require.Equal(t, code, e.Status)
			require.Zero(t, reached.Load(), "%s %d", era, code)
			_, err = call(t, pool, r.target(era), "echo", "")
			require.NoError(t, err)
		}
	}
}

// At its own origin a server may move.
func TestRedirectsAtHome(t *testing.T) {
	t.Parallel()
	for _, era := range bothEras {
		r := newRemote(t, era)
		r.on(func(w http.ResponseWriter, req *http.Request, _ string) bool {
			if req.URL.Path == "/moved" {
				return false
			}
			http.Redirect(w, req, "/moved", http.StatusPermanentRedirect)
			return true
		})
		target := r.target(era)
		target.HTTP.Header = map[string]secret.String{"Authorization": secret.New("Bearer t0ken")}
		res, err := call(t, newPool(t, Options{}), target, "echo", `{"text":"hello"}`)
		require.NoError(t, err)
		require.Equal(t, "hello", res.Text())
	}
}

func TestStaysHome(t *testing.T) {
	t.Parallel()
	asked := errors.New("asked")
	request := func(method, url, session string) *http.Request {
		r := httptest.NewRequestWithContext(t.Context(), method, url, nil)
		r.Header.Set(sessionHeader, session)
		return r
	}
	for name, tt := range map[string]struct {
		from *http.Request
		to   string
		want error
	}{
		"a message, elsewhere":      {request("POST", "https://a.test/mcp", ""), "https://b.test/mcp", ErrElsewhere},
		"a message, another port":   {request("POST", "https://a.test/mcp", ""), "https://a.test:8443/mcp", ErrElsewhere},
		"a message, at home":        {request("POST", "https://a.test/mcp", ""), "https://A.test:443/other", asked},
		"a message, without TLS":    {request("POST", "https://a.test/mcp", ""), "http://a.test/mcp", ErrElsewhere},
		"a stream of a session":     {request("GET", "https://a.test/mcp", "s"), "https://b.test/mcp", ErrElsewhere},
		"the end of a session":      {request("DELETE", "https://a.test/mcp", "s"), "https://b.test/mcp", ErrElsewhere},
		"a stream of none":          {request("GET", "https://a.test/mcp", ""), "https://b.test/mcp", asked},
		"a stream of none, no TLS":  {request("GET", "https://a.test/mcp", ""), "http://a.test/mcp", ErrElsewhere},
		"a stream of none, ever no": {request("GET", "http://a.test/mcp", ""), "http://b.test/mcp", asked},
	} {
		check := staysHome(func(*http.Request, []*http.Request) error { return asked })
		require.Equal(t, tt.want, check(httptest.NewRequestWithContext(t.Context(), http.MethodGet, tt.to, nil), []*http.Request{tt.from}), name)
	}
	many := make([]*http.Request, 10)
	for i := range many {
		many[i] = request("GET", "https://a.test/mcp", "")
	}
	require.NoError(t, staysHome(nil)(many[0], many[:9]))
	require.Error(t, staysHome(nil)(many[0], many))
}

// A JSON-RPC error is an answer whatever its code says, and the session goes on.
func TestFaultOfCodeZero(t *testing.T) {
	t.Parallel()
	r := newRemote(t, EraModern)
	pool := newPool(t, Options{})
	_, err := pool.Ping(t.Context(), r.target(EraModern))
	require.NoError(t, err)
	for _, code := range []int{http.StatusOK, http.StatusBadRequest, http.StatusNotFound} {
		r.onCall(func(w http.ResponseWriter, req *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(code)
			_, _ = io.WriteString(w, `{"jsonrpc":"2.0","id":`+idOf(req)+`,"error":{"code":0,"message":"no"}}`)
		})
		e := callError(t, pool, r.target(EraModern), "echo", "")
		require.True(t, e.Fault, code)
		require.Zero(t, e.Code)
		require.Equal(t, StageResult, e.Stage)
		_, err = call(t, pool, r.target(EraModern), "echo", "")
		require.NoError(t, err)
	}
	require.EqualValues(t, 2, r.hello.Load(), "opening and a ping")
	require.False(t, (&Error{Stage: StageHandshake, Status: 404, Fault: true}).olderWire())
	require.True(t, (&Error{Stage: StageHandshake, Status: 404}).olderWire())
}
