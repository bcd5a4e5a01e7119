package e2e_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// asAdmin is somebody who may register commands and install packages.
func (s *stack) asAdmin(t testing.TB, name string) *user {
	t.Helper()
	return &user{stack: s, t: t, name: name, token: strings.TrimSpace(s.steward(t, "token", "--user", name, "--role", "admin", "--ttl", "1h"))}
}

// shape is a document with every value replaced by the name of its type, as far as the seed's own goes: members
// that we add are left out, members that are missing show.
func shape(t testing.TB, seed, ours string) (want, got any) {
	t.Helper()
	var a, b any
	require.NoError(t, json.Unmarshal([]byte(seed), &a), seed)
	require.NoError(t, json.Unmarshal([]byte(ours), &b), ours)
	return outline(a, a), outline(b, a)
}

func outline(v, like any) any {
	switch v := v.(type) {
	case map[string]any:
		members, _ := like.(map[string]any)
		out := map[string]any{}
		for name, member := range v {
			if wanted, ok := members[name]; ok {
				out[name] = outline(member, wanted)
			}
		}
		return out
	case []any:
		list, _ := like.([]any)
		if len(v) == 0 || len(list) == 0 {
			return "list"
		}
		return []any{outline(v[0], list[0])}
	case string:
		return "string"
	case float64:
		return "number"
	case bool:
		return v
	}
	return "null"
}

// answersLike makes the call and compares the answer with the seed's, member by member.
func (u *user) answersLike(status int, method, path string, body any, seed string) answer {
	u.t.Helper()
	a := u.do(method, path, body)
	require.Equal(u.t, status, a.status, "%s %s: %s", method, path, a.body)
	want, got := shape(u.t, seed, string(a.body))
	require.Equal(u.t, want, got, "%s %s: %s", method, path, a.body)
	return a
}

// The requests of the older service's documentation about servers, tools and secrets, with its answers.
func TestServersAsTheSeedHasThem(t *testing.T) {
	t.Parallel()
	s := running(t)
	admin := s.asAdmin(t, "registrar")
	self, dir := serverCommand(t)
	entry := map[string]any{
		"name": "helper-tools", "transportType": "stdio", "command": self, "args": []string{dir}, "env": map[string]string{serverFolder: dir},
	}
	const server = `{"success":true,"server":{"name":"helper-tools","transportType":"stdio","command":"x","args":["x"],"env":{},"status":"connected","enabled":true}}`
	a := admin.answersLike(201, "POST", "/mcp/servers", entry, server)
	require.Contains(t, string(a.body), `"status":"connected"`)
	a = admin.answersLike(409, "POST", "/mcp/servers", entry, `{"success":false,"error":"Server with name helper-tools already exists"}`)
	require.Contains(t, string(a.body), `"error":"Server with name helper-tools already exists"`)

	admin.answersLike(200, "GET", "/mcp/servers", nil, `{"success":true,"servers":[{"name":"x","transportType":"stdio","status":"connected","enabled":true}]}`)
	a = admin.do("GET", "/mcp/servers/helper-tools", nil)
	require.Equal(t, 200, a.status)
	require.Contains(t, string(a.body), `"toolsList":[`)
	a = admin.answersLike(200, "PUT", "/mcp/servers/helper-tools/disable", nil, strings.NewReplacer(`"enabled":true`, `"enabled":false`).Replace(server))
	require.Contains(t, string(a.body), `"status":"disconnected"`)
	a = admin.do("POST", "/mcp/tool/call", map[string]any{"serverName": "helper-tools", "methodName": "posted", "args": map[string]any{"key": "x"}})
	require.Equal(t, 404, a.status, "a disabled server is called by nobody: %s", a.body)
	a = admin.answersLike(200, "PUT", "/mcp/servers/helper-tools/enable", nil, server)
	require.Contains(t, string(a.body), `"status":"connected"`)
	admin.answersLike(200, "PUT", "/mcp/servers/helper-tools", map[string]any{"args": []string{"--new-option"}, "enabled": false},
		`{"success":true,"server":{"name":"helper-tools","command":"x","args":["--new-option"],"env":{},"status":"disconnected","enabled":false}}`)
	for _, path := range []string{"/mcp/servers/nowhere", "/mcp/servers/nowhere/enable", "/mcp/servers/nowhere/disable"} {
		a = admin.do("PUT", path, map[string]any{})
		require.Equal(t, 404, a.status, "%s", a.body)
		require.Contains(t, string(a.body), `"success":false`)
	}
	admin.answersLike(200, "DELETE", "/mcp/servers/helper-tools", nil, `{"success":true}`)
	require.Equal(t, 404, admin.do("GET", "/mcp/servers/helper-tools", nil).status)

	user := s.as(t, "registrant")
	a = user.do("POST", "/mcp/servers", map[string]any{"name": "mine", "command": "sh", "args": []string{"-c", "id"}})
	require.Equal(t, 403, a.status, "%s", a.body)
	a = user.do("POST", "/mcp/servers", map[string]any{"name": "mine", "transportType": "streamable_http", "url": "http://169.254.169.254/mcp"})
	require.Equal(t, 422, a.status, "%s", a.body)
}

// A secret is stored, injected where it is declared, and seen nowhere.
func TestSecretsAsTheSeedHasThem(t *testing.T) {
	t.Parallel()
	s := running(t)
	admin, alice, bob := s.asAdmin(t, "keeper"), s.as(t, "secretive"), s.as(t, "curious")
	self, dir := serverCommand(t)
	const name, value = "vault-tools", "canary-secret-31337-value"
	require.Equal(t, 201, admin.do("POST", "/mcp/servers", map[string]any{"name": name, "command": self, "args": []string{dir}, "env": map[string]string{serverFolder: dir}}).status)
	alice.answersLike(200, "POST", "/secrets/set", map[string]any{"serverName": name, "secretName": "API_TOKEN", "secretValue": value}, `{"success":true}`)
	a := alice.do("GET", "/secrets", nil)
	require.Equal(t, 200, a.status)
	require.Contains(t, string(a.body), "API_TOKEN")
	require.NotContains(t, string(a.body), value)
	require.NotContains(t, string(bob.do("GET", "/secrets", nil).body), "API_TOKEN")

	call := map[string]any{"serverName": name, "methodName": "whisper", "args": map[string]any{"text": "hello"}}
	a = alice.answersLike(200, "POST", "/mcp/tool/call", call, `{"success":true,"data":{"content":{"length":1},"contentType":"application/json"}}`)
	require.Contains(t, string(a.body), `"length":25`, "the tool was given the secret: %s", a.body)
	require.NotContains(t, string(a.body), value, "and repeated it")
	a = bob.do("POST", "/mcp/tool/call", call)
	require.NotContains(t, string(a.body), `"length":25`, "%s", a.body)
	a = alice.do("GET", "/mcp/tools", nil)
	require.NotContains(t, string(a.body), value)
	alice.answersLike(200, "POST", "/secrets/delete", map[string]any{"serverName": name, "secretName": "API_TOKEN"}, `{"success":true}`)
	require.Equal(t, 404, alice.do("POST", "/secrets/delete", map[string]any{"serverName": name, "secretName": "API_TOKEN"}).status)
	require.NotContains(t, string(alice.do("POST", "/mcp/tool/call", call).body), `"length":25`)
}
