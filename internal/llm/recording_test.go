package llm

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/llm/price"
	"steward/internal/secret"
)

const testKey = "sk-canary-7f1d2c9b4e"

// exchange is one request and its answer in testdata/recordings.
type exchange struct {
	Request *struct {
		Method, Path string
		Body         json.RawMessage
	}
	Response struct {
		Status  int
		Headers map[string]string
		Body    json.RawMessage
		Text    string
		SSE     string
	}
}

// recordings are all exchanges, by the name of their file.
func recordings(t testing.TB) map[string][]exchange {
	t.Helper()
	files, err := filepath.Glob("testdata/recordings/*.json")
	require.NoError(t, err)
	all := map[string][]exchange{}
	for _, f := range files {
		raw, err := os.ReadFile(f)
		require.NoError(t, err)
		var rec struct{ Exchanges []exchange }
		require.NoError(t, json.Unmarshal(raw, &rec), f)
		all[strings.TrimSuffix(filepath.Base(f), ".json")] = rec.Exchanges
	}
	return all
}

// write answers like the recording.
func (e exchange) write(w http.ResponseWriter) {
	for k, v := range e.Response.Headers {
		w.Header().Set(k, v)
	}
	w.WriteHeader(e.Response.Status)
	body := e.Response.Text + e.Response.SSE
	if body == "" {
		body = string(e.Response.Body)
	}
	_, _ = io.WriteString(w, body)
}

// replay answers the requests it gets with the exchanges in their order, and with 500 when there is none left.
func replay(exchanges ...exchange) http.HandlerFunc {
	var next atomic.Int64
	return func(w http.ResponseWriter, _ *http.Request) {
		i := int(next.Add(1)) - 1
		if i >= len(exchanges) {
			http.Error(w, "the recording is at its end", http.StatusInternalServerError)
			return
		}
		exchanges[i].write(w)
	}
}

// received is what a test server saw of one request.
type received struct {
	Method, Path string
	Header       http.Header
	Body         []byte
}

// serve starts a provider and returns a client for it.
func serve(t testing.TB, answer http.HandlerFunc, change ...func(*Config)) (*Client, <-chan received) {
	t.Helper()
	url, seen := provider(t, answer)
	return client(t, url, change...), seen
}

// client is impatient: it polls every few milliseconds.
func client(t testing.TB, url string, change ...func(*Config)) *Client {
	t.Helper()
	// A transport of its own: closing an httptest server closes the idle connections of the default one,
	// under the feet of tests that run beside it.
	own := &http.Transport{}
	t.Cleanup(own.CloseIdleConnections)
	cfg := Config{BaseURL: url, Key: secret.New(testKey), HTTP: &http.Client{Transport: own}, Provider: "openai", Prices: new(price.Table)}
	for _, c := range change {
		c(&cfg)
	}
	c, err := New(cfg)
	require.NoError(t, err)
	c.pace = pace{first: time.Millisecond, slowest: 5 * time.Millisecond, patience: 100 * time.Millisecond}
	return c
}

// provider answers every request with answer and tells what it received.
func provider(t testing.TB, answer http.HandlerFunc) (url string, _ <-chan received) {
	t.Helper()
	seen := make(chan received, 1024)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body bytes.Buffer
		if _, err := body.ReadFrom(r.Body); err == nil {
			seen <- received{r.Method, r.URL.Path, r.Header.Clone(), body.Bytes()}
		}
		answer(w, r)
	}))
	t.Cleanup(srv.Close)
	return srv.URL + "/v1", seen
}
