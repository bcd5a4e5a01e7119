package counterpart

import (
	"encoding/json"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/dev/stack/process"
)

// Emulator is the npm program emulate as one service, behind a proxy of ours.
type Emulator struct {
	URL      string   // of the proxy
	Upstream *url.URL // of the program

	service  string
	listener net.Listener
	port     int
}

// NewEmulator takes the addresses for one. Start starts it.
func NewEmulator(t testing.TB, service string) *Emulator {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	port := FreePort(t)
	return &Emulator{
		URL:      "http://" + listener.Addr().String(),
		Upstream: &url.URL{Scheme: "http", Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(port))},
		service:  service, listener: listener, port: port,
	}
}

// Start runs the program and the proxy until the test ends. The program begins with seed and is there once path
// answers; end is called before the proxy's connections are closed.
func (e *Emulator) Start(t testing.TB, seed any, path string, proxy http.Handler, end func()) {
	t.Helper()
	doc, err := json.Marshal(seed)
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "seed.json") // JSON is YAML, which is what it reads
	require.NoError(t, os.WriteFile(file, doc, 0o600))
	Start(t, Program{
		Name: "the emulator of " + e.service, Main: "emulate/dist/index.js",
		// It calls itself by the address of the proxy, also as the issuer in ID tokens: a client that verifies
		// the issuer and follows the discovery document never leaves the proxy.
		Args:  []string{"start", "--service", e.service, "--port", strconv.Itoa(e.port), "--base-url", e.URL, "--seed", file},
		Ready: process.HTTP(e.Upstream.String() + path),
	})
	front := &http.Server{Handler: proxy, ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- front.Serve(e.listener) }()
	t.Cleanup(func() {
		end()
		require.NoError(t, front.Close())
		require.ErrorIs(t, <-served, http.ErrServerClosed)
	})
}

// Forward passes requests on to the program. What it does not answer breaks the client's connection.
func (e *Emulator) Forward() *httputil.ReverseProxy {
	return &httputil.ReverseProxy{
		// Node ends a connection after 5 s without a request, at times in the very moment of the next one.
		Transport:    &http.Transport{DisableKeepAlives: true},
		Rewrite:      func(r *httputil.ProxyRequest) { r.SetURL(e.Upstream) },
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
}
