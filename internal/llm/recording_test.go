package llm

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

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

// plainPost reports whether the exchange is a non-streamed POST /responses, or an error of one.
func (e exchange) plainPost() bool {
	if e.Response.SSE != "" {
		return false
	}
	return e.Request == nil || e.Request.Method == http.MethodPost &&
		(strings.HasSuffix(e.Request.Path, "/responses") || strings.HasSuffix(e.Request.Path, "/chat/completions"))
}

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
		for _, e := range rec.Exchanges {
			if e.plainPost() {
				name := strings.TrimSuffix(filepath.Base(f), ".json")
				all[name] = append(all[name], e)
			}
		}
	}
	return all
}

// received is what a test server saw of one request.
type received struct {
	Header http.Header
	Body   []byte
}

// serve starts a provider and returns a client for it.
func serve(t testing.TB, answer http.HandlerFunc) (*Client, <-chan received) {
	t.Helper()
	url, seen := provider(t, answer)
	// A transport of its own: closing an httptest server closes the idle connections of the default one,
	// under the feet of tests that run beside it.
	own := &http.Transport{}
	t.Cleanup(own.CloseIdleConnections)
	c, err := New(Config{BaseURL: url, Key: secret.New(testKey), HTTP: &http.Client{Transport: own}, Provider: "test"})
	require.NoError(t, err)
	return c, seen
}

// provider answers every request with answer and tells what it received.
func provider(t testing.TB, answer http.HandlerFunc) (url string, _ <-chan received) {
	t.Helper()
	seen := make(chan received, 16)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body bytes.Buffer
		_, err := body.ReadFrom(r.Body)
		if err == nil && r.URL.Path == "/v1/responses" {
			seen <- received{r.Header.Clone(), body.Bytes()}
		}
		answer(w, r)
	}))
	t.Cleanup(srv.Close)
	return srv.URL + "/v1", seen
}

// replay answers like the recording.
func replay(e exchange) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for k, v := range e.Response.Headers {
			w.Header().Set(k, v)
		}
		w.WriteHeader(e.Response.Status)
		body := []byte(e.Response.Body)
		if e.Response.Text != "" {
			body = []byte(e.Response.Text)
		}
		_, _ = w.Write(body)
	}
}
