package mcpclient

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Arguments that travel in headers too are known from the tool's definition. A session that has not read it yet is
// refused, reads it, and sends the call again.
func TestHTTPHeadersFromTheDefinition(t *testing.T) {
	t.Parallel()
	r, pool := newRemote(t, EraModern), newPool(t, Options{})
	for range 2 {
		res, err := call(t, pool, r.target(""), "in-region", `{"region":"eu"}`)
		require.NoError(t, err)
		require.Equal(t, "eu", res.Text())
	}
	require.EqualValues(t, 3, r.calls.Load())
	require.EqualValues(t, 1, r.hello.Load())
}

// A stream that breaks is resumed at the pace that was set, and given up after as many attempts.
func TestHTTPReconnect(t *testing.T) {
	t.Parallel()
	for fails, ok := range map[int]bool{0: true, 2: true, 3: false} {
		r, pool := newRemote(t, EraLegacy), newPool(t, Options{})
		target := r.target(EraLegacy)
		target.HTTP.Client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}} // net/http repeats a GET on a kept connection
		target.HTTP.Reconnect = Reconnect{First: 10 * time.Millisecond, Grow: 2, Most: 15 * time.Millisecond, Retries: 3}
		_, err := pool.Ping(t.Context(), target)
		require.NoError(t, err)
		var id atomic.Value
		var attempts atomic.Int32
		r.on(func(w http.ResponseWriter, req *http.Request, method string) bool {
			switch {
			case method == "tools/call":
				body, _ := io.ReadAll(req.Body)
				var msg struct{ ID json.RawMessage }
				_ = json.Unmarshal(body, &msg)
				id.Store(string(msg.ID))
				w.Header().Set("Content-Type", "text/event-stream")
				_, _ = io.WriteString(w, "id: 1\ndata:\n\n")
				return true
			case req.Header.Get("Last-Event-ID") != "":
				if int(attempts.Add(1)) <= fails {
					panic(http.ErrAbortHandler)
				}
				w.Header().Set("Content-Type", "text/event-stream")
				_, _ = fmt.Fprintf(w, "id: 2\ndata: {\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{\"content\":[]}}\n\n", id.Load())
				return true
			}
			return false
		})
		began := time.Now()
		_, err = call(t, pool, target, "echo", "")
		require.Equal(t, ok, err == nil, "%d: %v", fails, err)
		require.Less(t, time.Since(began), 900*time.Millisecond, "go-sdk alone would wait a second or more")
		require.EqualValues(t, min(fails+1, 3), attempts.Load())
	}
}
