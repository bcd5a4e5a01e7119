package slack_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	stand "steward/dev/counterpart/slack"
	"steward/internal/automation"
	"steward/internal/connector"
	"steward/internal/connector/slack"
)

// workspace is one at the stand-in, with a session of Alice's that has consent.
type workspace struct {
	*stand.Server
	t       *testing.T
	session *connector.Session
}

func newWorkspace(t *testing.T) *workspace {
	t.Helper()
	w := &workspace{Server: stand.Start(t, stand.Options{}), t: t}
	w.session = &connector.Session{
		HTTP: &http.Client{Transport: bearer(w.Token())}, BaseURL: w.URL, Account: "alice (Acme)", Granted: slack.Scopes(), Version: 3,
	}
	return w
}

// bearer is what internal/oauth does, without reading answers.
type bearer string

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+string(b))
	return http.DefaultTransport.RoundTrip(r)
}

func toolNamed(t *testing.T, name string) connector.Tool {
	t.Helper()
	tool, ok := slack.New().Find(name)
	require.True(t, ok, name)
	return tool
}

// attempt is one attempt at a call. It keeps what it notes as its receipt.
type attempt struct {
	id, tool, arguments string
	note                func(context.Context, string) error

	mu      sync.Mutex
	receipt string
}

func newAttempt(tool, arguments string) *attempt {
	a := &attempt{id: "call_" + rand.Text(), tool: tool, arguments: arguments}
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

// ages makes the attempt one of an hour ago.
func (a *attempt) ages(t *testing.T) {
	t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	var receipt map[string]any
	require.NoError(t, json.Unmarshal([]byte(a.receipt), &receipt))
	receipt["at"] = int64(receipt["at"].(float64)) - 3600
	doc, err := json.Marshal(receipt)
	require.NoError(t, err)
	a.receipt = string(doc)
}

// call makes one call and decodes its result into out.
func (w *workspace) call(c *attempt, out any) error {
	w.t.Helper()
	result, err := toolNamed(w.t, c.tool).Call(w.t.Context(), w.session, c.call())
	if err != nil {
		return err
	}
	require.NoError(w.t, json.Unmarshal(result.Structured, out))
	return nil
}

func (w *workspace) probe(c *attempt) automation.Outcome {
	w.t.Helper()
	found, err := toolNamed(w.t, c.tool).Probe(w.t.Context(), w.session, c.call())
	require.NoError(w.t, err)
	return found.Outcome
}

// failure is the *connector.Error of a call that must fail.
func failure(t *testing.T, err error) *connector.Error {
	t.Helper()
	e := &connector.Error{}
	require.ErrorAs(t, err, &e)
	return e
}
