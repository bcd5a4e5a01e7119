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
	"net/url"
	"testing"

	"steward/dev/counterpart"
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
	*counterpart.Script[Method, Fault]

	URL string // base of the consent page and the APIs

	upstream *url.URL
	own      string // a token for the test's own looks
	proxy    *proxy
}

// every scope that the test's own token has.
var every = []string{
	"channels:read", "channels:history", "groups:read", "groups:history", "users:read", "chat:write", "im:write", "im:history",
}

// Start starts a stand-in that lives as long as the test.
func Start(t testing.TB, o Options) *Server {
	t.Helper()
	emulator := counterpart.NewEmulator(t, "slack")
	script := counterpart.NewScript[Method, Fault]()
	s := &Server{Script: script, URL: emulator.URL, upstream: emulator.Upstream, own: "xoxp-" + rand.Text()}
	s.proxy = newProxy(emulator.Forward(), script, s.own)
	emulator.Start(t, s.seed(o), "/oauth/v2/authorize?client_id="+ClientID, s.proxy, script.End)
	return s
}

// seed is what the emulator starts with.
func (s *Server) seed(o Options) any {
	redirects := o.Redirects
	if redirects == nil {
		redirects = []string{}
	}
	return map[string]any{
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
	}
}
