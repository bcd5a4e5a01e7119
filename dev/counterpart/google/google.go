// Package google is a stand-in for Google in tests: the npm program emulate behind a proxy of our own, which
// counts requests, makes them fail on demand, mends what keeps Google's own Go client from reading answers, and adds
// what Google documents and the emulator lacks: ids that clients choose for files and events, and single events.
//
//	account := google.Start(t, google.Options{Redirects: []string{callback}})
//	// issuer and API base: account.URL; client: google.ClientID, google.ClientSecret
//	account.Deliver(t, google.Alice, google.Mail{From: "billing@vendor.example", Subject: "Invoice 1001", Body: "EUR 120"})
//	page := google.NewBrowser().SignIn(t, loginURL, google.Alice) // to our callback, cookies kept
//	account.Inject(google.DraftSend, 1, google.Fault{Cut: true})  // it acts, the answer is lost
//	require.Len(t, account.Sent(t, google.Alice), 1)
//	require.Equal(t, 1, account.Count(google.Refresh))
//
// What differs from Google: no scope is enforced and no token expires by itself. Inject a 401 or a 403,
// Revoke, or shorten what is said of a token's life by Grant. Drive exports nothing, changes no content, and searches
// neither names nor texts.
package google

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/dev/counterpart"
)

// The client that is registered with the stand-in.
const (
	ClientID     = "steward-test.apps.googleusercontent.com"
	ClientSecret = "GOCSPX-not-a-secret-of-anybody" //nolint:gosec // G101: of a program that ends with the test
)

// The accounts that exist. Bob is for mails of others.
const (
	Alice = "alice@example.com"
	Bob   = "bob@example.com"
)

// Options of a stand-in.
type Options struct {
	Redirects []string // redirect URIs of the client; others are refused
}

// Server is a running stand-in.
type Server struct {
	*counterpart.Script[Kind, Fault]

	URL string // issuer, and base of the APIs

	upstream *url.URL
	own      map[string]string // by mail address: a token for the test's own looks into the mailbox
	proxy    *proxy
}

// Start starts a stand-in that lives as long as the test.
func Start(t testing.TB, o Options) *Server {
	t.Helper()
	emulator := counterpart.NewEmulator(t, "google")
	script := counterpart.NewScript[Kind, Fault]()
	s := &Server{
		Script: script, URL: emulator.URL, upstream: emulator.Upstream, proxy: newProxy(emulator.Forward(), script),
		own: map[string]string{Alice: rand.Text(), Bob: rand.Text()},
	}
	emulator.Start(t, s.seed(o), "/.well-known/openid-configuration", s.proxy, script.End)
	return s
}

// seed is what the emulator starts with. As shipped it takes every bearer it does not know for the first
// user, and knows a token of its own. With an empty table of tokens and a first user that has no mailbox,
// unknown and revoked tokens get 401, as at Google.
func (s *Server) seed(o Options) any {
	tokens, users := map[string]any{}, []any{map[string]string{"email": "", "name": "nobody: unknown tokens are taken for the first user"}}
	for _, address := range []string{Alice, Bob} {
		tokens[s.own[address]] = map[string]any{"login": address, "scopes": []string{}}
		users = append(users, map[string]string{"email": address})
	}
	redirects := o.Redirects
	if redirects == nil {
		redirects = []string{}
	}
	return map[string]any{
		"tokens": tokens,
		"google": map[string]any{
			"users":         users,
			"oauth_clients": []any{map[string]any{"client_id": ClientID, "client_secret": ClientSecret, "name": "Steward", "redirect_uris": redirects}},
		},
	}
}

// call makes a request to the emulator itself: the proxy neither counts it nor spoils it.
func (s *Server) call(ctx context.Context, address, method, path string, body, answer any) error {
	return exchange(ctx, request{method: method, url: s.upstream.String() + path, bearer: s.own[address], body: body}, answer)
}

func (s *Server) mailbox(t testing.TB, address string) string {
	t.Helper()
	require.Contains(t, s.own, address, "no such account")
	return fmt.Sprintf("/gmail/v1/users/%s/", url.PathEscape(address))
}
