// Package googletest makes calls of connectors to Google, for their tests: against the stand-in of
// dev/counterpart/google, or a server of the test's own.
package googletest

import (
	"encoding/json"
	"net/http"
	"net/netip"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/dev/counterpart/google"
	"steward/internal/automation"
	"steward/internal/connector"
	"steward/internal/egress"
)

// Account is Alice's at the stand-in, with a session that has consent to some scopes.
type Account struct {
	*google.Server
	*Session
}

// NewAccount starts a stand-in of its own.
func NewAccount(t *testing.T, k *connector.Connector, scopes ...string) *Account {
	t.Helper()
	server := google.Start(t, google.Options{})
	return &Account{server, NewSession(t, k, server.URL, server.Token(google.Alice), scopes...)}
}

// Session makes the calls of one connector. Requests that leave are kept.
type Session struct {
	*connector.Session
	t    *testing.T
	kind *connector.Connector
	sent *recorder
}

// NewSession makes one whose requests carry the token.
func NewSession(t *testing.T, k *connector.Connector, baseURL, token string, scopes ...string) *Session {
	t.Helper()
	exit := egress.NewExit(netip.MustParsePrefix("127.0.0.0/8")).Client()
	t.Cleanup(exit.CloseIdleConnections)
	sent := &recorder{token: token, next: exit.Transport}
	return &Session{
		Session: &connector.Session{HTTP: &http.Client{Transport: sent}, BaseURL: baseURL, Account: google.Alice, Granted: scopes, Version: 3},
		t:       t, kind: k, sent: sent,
	}
}

// Tool finds one of the connector's.
func (s *Session) Tool(name string) connector.Tool {
	s.t.Helper()
	tool, ok := s.kind.Find(name)
	require.True(s.t, ok, name)
	return tool
}

// Call makes one call and decodes its result into out.
func (s *Session) Call(name string, a *Attempt, out any) error {
	s.t.Helper()
	result, err := s.Tool(name).Call(s.t.Context(), s.Session, a.Call())
	if err != nil {
		return err
	}
	require.NoError(s.t, json.Unmarshal(result.Structured, out))
	return nil
}

// Probe asks what became of a call.
func (s *Session) Probe(name string, a *Attempt) automation.Outcome {
	s.t.Helper()
	found, err := s.Tool(name).Probe(s.t.Context(), s.Session, a.Call())
	require.NoError(s.t, err)
	return found.Outcome
}

// Last is the last request of a method that has left.
func (s *Session) Last(method string) *http.Request {
	s.t.Helper()
	s.sent.mu.Lock()
	defer s.sent.mu.Unlock()
	for i := len(s.sent.requests) - 1; i >= 0; i-- {
		if s.sent.requests[i].Method == method {
			return s.sent.requests[i]
		}
	}
	require.Fail(s.t, "no request", method)
	return nil
}

// Failure is the *connector.Error of a call that must fail.
func Failure(t *testing.T, err error) *connector.Error {
	t.Helper()
	e := &connector.Error{}
	require.ErrorAs(t, err, &e)
	return e
}

// recorder is what internal/oauth does, without refreshing.
type recorder struct {
	token string
	next  http.RoundTripper

	mu       sync.Mutex
	requests []*http.Request
}

// RoundTrip implements http.RoundTripper.
func (b *recorder) RoundTrip(r *http.Request) (*http.Response, error) {
	b.mu.Lock()
	b.requests = append(b.requests, r)
	b.mu.Unlock()
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+b.token)
	return b.next.RoundTrip(r)
}
