package gmail_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	gmailapi "google.golang.org/api/gmail/v1"

	"steward/dev/counterpart/google"
	"steward/internal/automation"
	"steward/internal/connector"
	"steward/internal/connector/gmail"
)

// account is a Gmail account at the stand-in, with a session that has consent.
type account struct {
	*google.Server
	t       *testing.T
	session *connector.Session
}

func newAccount(t *testing.T, scopes ...string) *account {
	t.Helper()
	if len(scopes) == 0 {
		scopes = []string{gmailapi.GmailReadonlyScope, gmailapi.GmailComposeScope}
	}
	a := &account{Server: google.Start(t, google.Options{}), t: t}
	a.session = &connector.Session{
		HTTP: &http.Client{Transport: bearer(a.Token(google.Alice))}, BaseURL: a.URL, Account: google.Alice, Granted: scopes, Version: 3,
	}
	return a
}

// bearer is what internal/oauth does, without refreshing.
type bearer string

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+string(b))
	return http.DefaultTransport.RoundTrip(r)
}

func toolNamed(t *testing.T, name string) connector.Tool {
	t.Helper()
	tool, ok := gmail.New().Find(name)
	require.True(t, ok, name)
	return tool
}

// attempt is one attempt at a call. It keeps what it notes as its receipt.
type attempt struct {
	id, arguments string
	note          func(context.Context, string) error

	mu      sync.Mutex
	receipt string
}

func newAttempt(arguments string) *attempt {
	a := &attempt{id: "call_" + rand.Text(), arguments: arguments}
	a.note = func(_ context.Context, receipt string) error {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.receipt = receipt
		return nil
	}
	return a
}

func (a *attempt) call() connector.Call {
	a.mu.Lock()
	defer a.mu.Unlock()
	return connector.Call{ID: a.id, Arguments: json.RawMessage(a.arguments), Receipt: a.receipt, Note: a.note}
}

// call makes one call and decodes its result into out.
func (a *account) call(name string, c *attempt, out any) error {
	a.t.Helper()
	result, err := toolNamed(a.t, name).Call(a.t.Context(), a.session, c.call())
	if err != nil {
		return err
	}
	require.NoError(a.t, json.Unmarshal(result.Structured, out))
	return nil
}

func (a *account) probe(c *attempt) automation.Outcome {
	a.t.Helper()
	found, err := toolNamed(a.t, "GMAIL_SEND_EMAIL").Probe(a.t.Context(), a.session, c.call())
	require.NoError(a.t, err)
	return found.Outcome
}

// failure is the *connector.Error of a call that must fail.
func failure(t *testing.T, err error) *connector.Error {
	t.Helper()
	e := &connector.Error{}
	require.ErrorAs(t, err, &e)
	return e
}
