// Package slack is a stand-in for Slack in tests: the npm program emulate behind a proxy of our own, which counts
// requests, makes them fail on demand, and does what the emulator leaves out.
//
//	workspace := slack.Start(t, slack.Options{Redirects: []string{callback}})
//	// base of consent page and APIs: workspace.URL; client: slack.ClientID, slack.ClientSecret
//	callback := slack.Consent(t, consentURL, slack.Alice) // with code and state
//	workspace.Inject(slack.Post, 1, slack.Fault{Cut: true}) // it acts, the answer is lost
//	require.Len(t, workspace.Messages(t, "general"), 1)
//
// The emulator enforces scopes, but takes unknown tokens for its first user, ends none and has no
// auth.revoke: the proxy does that. There is no token rotation and no search.
package slack

import (
	"crypto/rand"
	"encoding/json"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/dev/counterpart"
	"steward/dev/stack/process"
)

// The client that is registered with the stand-in.
const (
	ClientID     = "12345.67890"
	ClientSecret = "not-a-secret-of-anybody"
)

// People of the workspace, by their names there.
const (
	Alice = "alice"
	Bob   = "bob"
)

// Team is the workspace's name. Its public channels are general and random, which the emulator brings along, and
// deploys; its private one is board.
const Team = "Acme"

// Options of a stand-in.
type Options struct {
	Redirects []string // redirect URIs of the client; others are refused
}

// Server is a running stand-in.
type Server struct {
	URL string // base of the consent page and the APIs

	upstream *url.URL
	own      string // a token for the test's own looks
	proxy    *proxy
}

// every scope that the test's own token has.
var every = []string{
	"channels:read", "channels:history", "groups:read", "groups:history", "users:read", "chat:write",
}

// Start starts a stand-in that lives as long as the test.
func Start(t testing.TB, o Options) *Server {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	port := counterpart.FreePort(t)
	s := &Server{
		URL:      "http://" + listener.Addr().String(),
		upstream: &url.URL{Scheme: "http", Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(port))},
		own:      "xoxp-" + rand.Text(),
	}
	s.proxy = newProxy(s.upstream, s.own)
	counterpart.Start(t, counterpart.Program{
		Name: "the Slack emulator", Main: "emulate/dist/index.js",
		Args:  []string{"start", "--service", "slack", "--port", strconv.Itoa(port), "--base-url", s.URL, "--seed", s.seed(t, o)},
		Ready: process.HTTP(s.upstream.String() + "/oauth/v2/authorize?client_id=" + ClientID),
	})
	front := &http.Server{Handler: s.proxy, ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- front.Serve(listener) }()
	t.Cleanup(func() {
		close(s.proxy.ended)
		require.NoError(t, front.Close())
		require.ErrorIs(t, <-served, http.ErrServerClosed)
	})
	return s
}

// seed writes what the emulator starts with.
func (s *Server) seed(t testing.TB, o Options) string {
	t.Helper()
	redirects := o.Redirects
	if redirects == nil {
		redirects = []string{}
	}
	// JSON is YAML.
	doc, err := json.Marshal(map[string]any{
		"tokens": map[string]any{},
		"slack": map[string]any{
			"strict_scopes": true,
			"team":          map[string]string{"name": Team, "domain": "acme"},
			"users":         []any{map[string]string{"name": Alice, "real_name": "Alice"}, map[string]string{"name": Bob, "real_name": "Bob"}},
			"channels":      []any{map[string]any{"name": "deploys", "topic": "What went live"}, map[string]any{"name": "board", "is_private": true}},
			"tokens":        []any{map[string]any{"token": s.own, "type": "user", "user": Alice, "scopes": every}},
			"oauth_apps": []any{map[string]any{
				"client_id": ClientID, "client_secret": ClientSecret, "name": "Steward", "redirect_uris": redirects,
			}},
		},
	})
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "seed.json")
	require.NoError(t, os.WriteFile(path, doc, 0o600))
	return path
}
