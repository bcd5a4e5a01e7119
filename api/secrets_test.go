package api_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/auth"
)

const secretCanary = "ghp_canary93b1"

// newSecretRig has an admin's server and one of bob's own.
func newSecretRig(t *testing.T) *rig {
	t.Helper()
	r := newRig(t)
	for _, s := range []struct{ owner, name string }{{"", "mcp-github"}, {"bob", "bobs-own"}} { // numbers 1 and 2
		_, err := r.db.Pool.Exec(t.Context(), `INSERT INTO mcp_servers (owner, name, transport, command) VALUES (NULLIF($1, ''), $2, 'stdio', 'true')`, s.owner, s.name)
		require.NoError(t, err)
	}
	return r
}

func (r *rig) postAs(owner, path, body string) *httptest.ResponseRecorder {
	r.t.Helper()
	return r.do(call{method: http.MethodPost, path: path, body: body, token: r.token(owner, auth.User)})
}

// The examples of seed 001, answered as there.
func TestSecretsAsTheOlderServiceHadThem(t *testing.T) {
	t.Parallel()
	r := newSecretRig(t)
	key := r.apiKey(auth.AnyTenant)
	const set = `{"username":"user123","serverName":"mcp-github","secretName":"GITHUB_TOKEN","secretValue":"` + secretCanary + `"}`
	const remove = `{"username":"user123","serverName":"mcp-github","secretName":"GITHUB_TOKEN"}`
	for _, tt := range []struct{ path, body string }{
		{"/secrets/set", set},
		{"/secrets/set", set},
		{"/secrets/delete", remove},
		{"/secrets/set", strings.Replace(set, `"username":"user123",`, "", 1)}, // for "default"
	} {
		w := r.do(call{method: http.MethodPost, path: tt.path, body: tt.body, key: key})
		require.Equal(t, http.StatusOK, w.Code, w.Body)
		require.JSONEq(t, `{"success":true}`, w.Body.String())
	}
	kept, err := r.deps.Vault.For(t.Context(), auth.DefaultOwner, 1)
	require.NoError(t, err)
	require.Len(t, kept.Values, 1)

	w := r.do(call{method: http.MethodPost, path: "/secrets/set", body: strings.Replace(set, "mcp-github", "none", 1), key: key})
	require.Equal(t, http.StatusNotFound, w.Code)
	var problem struct {
		Success bool
		Error   string
	}
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &problem))
	require.False(t, problem.Success)
	require.Equal(t, "Server with name none not found", problem.Error)
}

func TestSecretsAreListedByName(t *testing.T) {
	t.Parallel()
	r := newSecretRig(t)
	require.Equal(t, http.StatusOK, r.postAs("ann", "/secrets/set", `{"serverName":"mcp-github","secretName":"TOKEN","secretValue":"`+secretCanary+`"}`).Code)
	list := func(owner, query string) []map[string]any {
		w := r.do(call{path: "/secrets" + query, token: r.token(owner, auth.User)})
		require.Equal(t, http.StatusOK, w.Code, w.Body)
		require.NotContains(t, w.Body.String(), secretCanary)
		var body struct{ Secrets []map[string]any }
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &body))
		require.NotNil(t, body.Secrets)
		return body.Secrets
	}
	own := list("ann", "")
	require.Len(t, own, 1)
	require.Equal(t, []any{"mcp-github", "TOKEN", nil}, []any{own[0]["serverName"], own[0]["secretName"], own[0]["last_used_at"]})
	require.NotEmpty(t, own[0]["fingerprint"])
	require.Len(t, list("ann", "?server=mcp-github"), 1)
	require.Empty(t, list("ann", "?server=other"))
	require.Empty(t, list("bob", ""))
	for _, role := range []auth.Role{auth.Operator, auth.Auditor} {
		require.Equal(t, http.StatusForbidden, r.do(call{path: "/secrets", token: r.token("ann", role)}).Code)
	}
}

// T-34: nothing tells whether a server or a name of somebody else's exists, and nothing repeats a value.
func TestSecretsCannotBeEnumerated(t *testing.T) {
	t.Parallel()
	r := newSecretRig(t)
	require.Equal(t, http.StatusOK, r.postAs("bob", "/secrets/set", `{"serverName":"bobs-own","secretName":"TOKEN","secretValue":"x"}`).Code)
	require.Equal(t, http.StatusOK, r.postAs("bob", "/secrets/set", `{"serverName":"mcp-github","secretName":"TOKEN","secretValue":"x"}`).Code)
	same := func(path, one, other, oneName, otherName string) {
		a, b := r.postAs("ann", path, one), r.postAs("ann", path, other)
		require.Equal(t, http.StatusNotFound, a.Code, a.Body)
		require.Equal(t, blank(t, a, oneName), blank(t, b, otherName))
	}
	same("/secrets/set", `{"serverName":"bobs-own","secretName":"TOKEN","secretValue":"`+secretCanary+`"}`,
		`{"serverName":"absent-1","secretName":"TOKEN","secretValue":"`+secretCanary+`"}`, "bobs-own", "absent-1")
	same("/secrets/delete", `{"serverName":"bobs-own","secretName":"TOKEN"}`, `{"serverName":"absent-1","secretName":"TOKEN"}`, "bobs-own", "absent-1")
	same("/secrets/delete", `{"serverName":"mcp-github","secretName":"TOKEN"}`, `{"serverName":"mcp-github","secretName":"NONE"}`, "TOKEN", "NONE")

	for name, body := range map[string]string{
		"a bad name":    `{"serverName":"mcp-github","secretName":"A B","secretValue":"` + secretCanary + `"}`,
		"too large":     `{"serverName":"mcp-github","secretName":"A","secretValue":"` + secretCanary + strings.Repeat("x", 64<<10) + `"}`,
		"no string":     `{"serverName":"mcp-github","secretName":"A","secretValue":["` + secretCanary + `"]}`,
		"unknown field": `{"serverName":"mcp-github","secretName":"A","secretValue":"x","value":"` + secretCanary + `"}`,
	} {
		w := r.postAs("ann", "/secrets/set", body)
		require.Equal(t, http.StatusUnprocessableEntity, w.Code, name)
		require.NotContains(t, w.Body.String(), secretCanary, name)
	}
	w := r.postAs("ann", "/secrets/set", `{"username":"bob","serverName":"mcp-github","secretName":"A","secretValue":"`+secretCanary+`"}`)
	require.Equal(t, http.StatusForbidden, w.Code, "a token speaks for its own user")
	require.NotContains(t, r.logs.String(), secretCanary)
}

// blank is a problem without what must differ.
func blank(t *testing.T, w *httptest.ResponseRecorder, name string) string {
	t.Helper()
	var p map[string]any
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &p))
	delete(p, "request_id")
	text, err := json.Marshal(p)
	require.NoError(t, err)
	return strings.ReplaceAll(string(text), name, "")
}
