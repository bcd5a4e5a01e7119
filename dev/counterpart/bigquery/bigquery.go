// Package bigquery is a stand-in for BigQuery in tests: the bigquery-emulator behind a proxy of our own, which checks
// tokens and says what BigQuery documents where the emulator says something else. Its tests are not among the usual ones,
// because the emulator takes minutes to build: make test-bigquery.
//
//	engine := bigquery.Start(t)
//	// base of the API: engine.URL; token: engine.Token
//
// What differs from BigQuery: it has no prices, so that every query reads 0 bytes; it calls every statement a SELECT; and
// it knows no scopes.
package bigquery

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/dev/counterpart"
	"steward/dev/stack/process"
)

// Project is the project that there is, with the dataset sales and its table invoices.
const Project = "test"

// data is what the emulator begins with.
const data = `projects:
- id: test
  datasets:
  - id: sales
    tables:
    - id: invoices
      columns:
      - {name: id, type: INTEGER, mode: REQUIRED}
      - {name: vendor, type: STRING}
      - {name: amount, type: FLOAT}
      - {name: issued, type: DATE}
      data:
      - {id: 1, vendor: Alpha, amount: 120.5, issued: "2026-11-01"}
      - {id: 2, vendor: Beta, amount: 80, issued: "2026-11-12"}
`

// Server is a running stand-in.
type Server struct {
	URL   string // base of the API
	Token string // the only one that it takes
}

// Start starts a stand-in that lives as long as the test.
func Start(t testing.TB) *Server {
	t.Helper()
	module, err := exec.CommandContext(t.Context(), "go", "env", "GOMOD").Output()
	require.NoError(t, err)
	binary := filepath.Join(filepath.Dir(strings.TrimSpace(string(module))), "bin", "bigquery-emulator")
	require.FileExists(t, binary, "run make test-bigquery")
	dir := t.TempDir()
	seed := filepath.Join(dir, "data.yaml")
	require.NoError(t, os.WriteFile(seed, []byte(data), 0o600))
	port := counterpart.FreePort(t)
	upstream := "http://127.0.0.1:" + strconv.Itoa(port)
	child, err := process.Start(t.Context(), process.Config{
		Name: "the BigQuery emulator", Path: binary,
		Args: []string{"--project=" + Project, "--port=" + strconv.Itoa(port), "--grpc-port=" + strconv.Itoa(counterpart.FreePort(t)), "--data-from-yaml=" + seed},
		Env:  process.Inherit("PATH", "HOME"), Log: slog.New(slog.DiscardHandler), LogFile: filepath.Join(dir, "log"),
		Ready: process.HTTP(upstream + "/bigquery/v2/projects/" + Project + "/datasets"),
	})
	require.NoError(t, err)
	s := &Server{Token: "ya29." + rand.Text()}
	front := httptest.NewServer(newProxy(upstream, s.Token))
	s.URL = front.URL
	t.Cleanup(func() {
		front.Close()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 10*time.Second)
		defer cancel()
		_ = child.Stop(ctx) // what has to be killed is killed
	})
	return s
}

// Client is an HTTP client that brings a token.
func (s *Server) Client() *http.Client { return &http.Client{Transport: bearer(s.Token)} }

type bearer string

// RoundTrip implements http.RoundTripper.
func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+string(b))
	return http.DefaultTransport.RoundTrip(r)
}
