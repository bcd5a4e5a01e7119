// Package aimock starts the npm program aimock: a Responses API that other people wrote, which answers by
// fixtures. It checks our client and our loop where the offline model, which is ours, would share our mistakes.
//
// It knows no background mode, compaction or counting of tokens, and reports no usage that a fixture does not
// give.
package aimock

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/dev/counterpart"
	"steward/dev/stack/process"
)

// Key is the only bearer token that is let in.
const Key = "sk-aimock-not-a-secret"

// Server is a running model server.
type Server struct {
	URL  string // for OPENAI_BASE_URL, ends in /v1
	root string
}

// Start starts a server that answers by fixtures, a JSON document {"fixtures":[…]}, and 404 no_fixture_match to
// what none of them matches. It lives as long as the test.
func Start(t testing.TB, fixtures string) *Server {
	t.Helper()
	require.True(t, json.Valid([]byte(fixtures)), "fixtures are JSON")
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "fixtures.json"), []byte(fixtures), 0o600))
	port := strconv.Itoa(counterpart.FreePort(t))
	s := &Server{root: "http://127.0.0.1:" + port}
	s.URL = s.root + "/v1"
	counterpart.Start(t, counterpart.Program{
		Name: "aimock", Main: "@copilotkit/aimock/dist/cli.js",
		Args:  []string{"--port", port, "--fixtures", dir, "--validate-on-load"},
		Env:   []string{"AIMOCK_API_KEYS=" + Key},
		Ready: process.HTTP(s.root + "/health"),
	})
	return s
}

// Request is one that has come in, with how it was answered.
type Request struct {
	Method, Path string
	Headers      map[string]string
	Body         json.RawMessage // in the form of a chat completion, into which the program turns what it gets
	Response     struct{ Status int }
}

// Requests lists what has come in, the oldest first.
func (s *Server) Requests(t testing.TB) []Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.root+"/__aimock/journal", nil)
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+Key)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	require.Equal(t, http.StatusOK, resp.StatusCode)
	var requests []Request
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&requests))
	return requests
}
