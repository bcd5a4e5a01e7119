package mcpclient

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestHTTPRefusedWhileDialling(t *testing.T) {
	t.Parallel()
	for _, code := range []int{401, 403, 429, 503} {
		r := newRemote(t, EraLegacy)
		r.on(func(w http.ResponseWriter, req *http.Request, _ string) bool {
			status(code)(w, req)
			return true
		})
		pool := newPool(t, Options{})
		e := callError(t, pool, r.target(""), "echo", "")
		require.Equal(t, NotRun, e.Ran)
		require.Equal(t, StageHandshake, e.Stage)
		require.Equal(t, code, e.Status)
		require.LessOrEqual(t, r.hello.Load(), int32(2), "no third attempt")
	}
}

// What credentials a server wants it says to the first question. Another one would get another answer.
func TestHTTPChallengeWhileDialling(t *testing.T) {
	t.Parallel()
	for _, code := range []int{401, 403} {
		r := newRemote(t, EraModern)
		r.on(func(w http.ResponseWriter, req *http.Request, method string) bool {
			if method == "server/discover" {
				status(code, "WWW-Authenticate", `Bearer scope="mail"`)(w, req)
				return true
			}
			rpcError(400)(w, req)
			return true
		})
		e := callError(t, newPool(t, Options{}), r.target(""), "echo", "")
		require.Equal(t, code, e.Status)
		require.Equal(t, []string{`Bearer scope="mail"`}, e.Challenge)
		require.EqualValues(t, 1, r.hello.Load())
	}
}

// A server from before server/discover that never answers it.
func TestHTTPSilentProbe(t *testing.T) {
	t.Parallel()
	r := newRemote(t, EraLegacy)
	r.on(func(_ http.ResponseWriter, req *http.Request, method string) bool {
		if method == "server/discover" {
			<-req.Context().Done()
			return true
		}
		return false
	})
	pool := newPool(t, Options{})
	info, err := pool.Ping(t.Context(), r.target(""))
	require.NoError(t, err)
	require.Equal(t, EraLegacy, info.Era)
}

// A server that is known to be of today may be slow: it is not taken for an older one.
func TestHTTPSlowProbe(t *testing.T) {
	t.Parallel()
	r := newRemote(t, EraModern)
	r.on(func(_ http.ResponseWriter, _ *http.Request, method string) bool {
		if method == "server/discover" && r.hello.Load() == 1 {
			<-time.After(probeTimeout + 200*time.Millisecond)
		}
		return false
	})
	pool := newPool(t, Options{})
	_, err := call(t, pool, r.target(EraModern), "echo", "")
	require.NoError(t, err)
	require.EqualValues(t, 1, r.hello.Load())
}

// The streams for notifications are optional; a server that keeps back even their head must not hold us up.
func TestHTTPSilentStream(t *testing.T) {
	t.Parallel()
	for _, era := range bothEras {
		t.Run(string(era), func(t *testing.T) {
			t.Parallel()
			r := newRemote(t, era)
			r.on(func(_ http.ResponseWriter, req *http.Request, method string) bool {
				if req.Method == http.MethodGet || method == "subscriptions/listen" {
					<-req.Context().Done()
					return true
				}
				return false
			})
			pool := newPool(t, Options{})
			ctx, cancel := context.WithTimeout(t.Context(), 2*streamWait)
			defer cancel()
			_, err := pool.Call(ctx, r.target(era), Call{Tool: "echo"})
			require.NoError(t, err)
		})
	}
}
