package e2e_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/dev/counterpart/authority"
)

// A server elsewhere wants its own authorization server's tokens: a run that needs it waits for the person, without a
// process, and goes on after the consent; tokens that end are renewed; nobody else's request has one.
func TestRunWaitsForConsentAtARemoteServer(t *testing.T) {
	t.Parallel()
	s := own(t)
	alice, bob, admin := s.as(t, "alice"), s.as(t, "bob"), s.asAdmin(t, "admin")
	alice.consented(admin)

	call := map[string]any{"serverName": "guarded", "methodName": "whoami", "args": map[string]any{}}
	require.Equal(t, 200, alice.do("POST", "/mcp/tool/call", call).status)
	a := bob.do("POST", "/mcp/tool/call", call)
	require.Equal(t, 403, a.status, "each user consents: %s", a.body)
	require.Contains(t, string(a.body), "consent_required")

	// The calibration of a server by hand, as the seed of the client library has it.
	a = bob.do("POST", "/mcp/servers/guarded/connect", map[string]any{})
	require.Equal(t, 200, a.status, "%s", a.body)
	var begun struct {
		Status string `json:"status"`
		URL    string `json:"authorization_url"`
	}
	require.NoError(t, json.Unmarshal(a.body, &begun))
	require.Equal(t, "authorization_required", begun.Status)
	page := authority.NewBrowser(t).Open(t, begun.URL, nil)
	require.Equal(t, 200, page.Status, page.Body)
	require.Contains(t, page.Body, "connected")
	require.Equal(t, 200, bob.do("POST", "/mcp/tool/call", call).status)
	a = bob.do("POST", "/mcp/servers/guarded/connect", map[string]any{})
	require.Contains(t, string(a.body), `"connected"`)
}

// The caller's own bearer never leaves (T-17): a server sees what is its own, or nothing.
func TestCallersTokenIsNotPassedOn(t *testing.T) {
	t.Parallel()
	s := running(t)
	var leaked atomic.Int64
	alice := s.as(t, "private")
	spy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, values := range r.Header {
			for _, value := range values {
				if value == "Bearer "+alice.token || value == alice.token {
					leaked.Add(1)
				}
			}
		}
		w.WriteHeader(http.StatusBadRequest)
	}))
	t.Cleanup(spy.Close)
	admin := s.asAdmin(t, "spymaster")
	a := admin.do("POST", "/mcp/servers", map[string]any{"name": "spy", "transportType": "streamable_http", "url": spy.URL})
	require.Equal(t, 201, a.status, "%s", a.body)
	require.Contains(t, string(a.body), `"status":"error"`)
	alice.do("GET", "/mcp/tools", nil)
	alice.do("POST", "/mcp/tool/call", map[string]any{"serverName": "spy", "methodName": "x", "args": map[string]any{}})
	require.Zero(t, leaked.Load())
	require.Equal(t, 200, admin.do("DELETE", "/mcp/servers/spy", nil).status)
}
