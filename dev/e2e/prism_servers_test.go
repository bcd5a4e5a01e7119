package e2e_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// What is answered about servers, tools, secrets and packages is what the document says.
func TestAnswersAboutServersAreTheDocuments(t *testing.T) {
	t.Parallel()
	s := running(t)
	u := s.asAdmin(t, "judge")
	u.stack = throughPrism(t, s)
	self, dir := serverCommand(t)
	const name = "judged-tools"
	at := "/mcp/servers/" + name
	u.answers(201, "POST", "/mcp/servers", map[string]any{
		"name": name, "command": self, "args": []string{dir}, "env": map[string]string{serverFolder: dir}, "description": "For a test.", "tags": []string{"test"},
		"env_schema": []map[string]any{{"name": "API_TOKEN", "isSecret": true}},
	})
	u.answers(409, "POST", "/mcp/servers", map[string]any{"name": name, "command": self})
	u.answers(422, "POST", "/mcp/servers", map[string]any{"name": "x y", "command": self})
	u.answers(422, "POST", "/mcp/servers", map[string]any{"name": "inside", "transportType": "streamable_http", "url": "http://169.254.169.254/mcp"})
	u.answers(200, "GET", "/mcp/servers", nil)
	u.answers(200, "GET", at, nil)
	u.answers(404, "GET", "/mcp/servers/nowhere", nil)
	u.answers(200, "GET", at+"/tools", nil)
	u.answers(200, "PUT", at+"/tools/whisper", map[string]any{"read_only": true, "timeout_ms": 20_000})
	u.answers(409, "POST", at+"/tools/whisper/review", map[string]any{"accept": true, "pin": "another"})
	u.answers(200, "PUT", at, map[string]any{"title": "Judged", "timeout_ms": 30_000})
	u.answers(200, "PUT", at+"/disable", nil)
	u.answers(200, "PUT", at+"/enable", nil)
	u.answers(200, "POST", at+"/connect", map[string]any{})

	u.answers(200, "POST", "/secrets/set", map[string]any{"serverName": name, "secretName": "API_TOKEN", "secretValue": "canary-4711-4711"})
	u.answers(404, "POST", "/secrets/set", map[string]any{"serverName": "nowhere", "secretName": "API_TOKEN", "secretValue": "x"})
	u.answers(200, "GET", "/secrets", nil)
	u.answers(200, "GET", "/mcp/tools", nil)
	u.answers(200, "POST", "/mcp/tool/call", map[string]any{"serverName": name, "methodName": "whisper", "args": map[string]any{"text": "hi"}})
	u.answers(422, "POST", "/mcp/tool/call", map[string]any{"serverName": name, "methodName": "whisper", "args": map[string]any{"text": 7}})
	u.answers(404, "POST", "/mcp/tool/call", map[string]any{"serverName": name, "methodName": "shout", "args": map[string]any{}})
	u.answers(200, "POST", "/secrets/delete", map[string]any{"serverName": name, "secretName": "API_TOKEN"})

	u.answers(200, "GET", "/packages", nil)
	u.answers(404, "GET", "/packages/by-name/nothing", nil)
	u.answers(200, "GET", "/packages/updates", nil)
	u.answers(422, "POST", "/packages/install", map[string]any{"name": "git+ssh://x", "serverName": "x"})
	u.answers(404, "DELETE", "/packages/nothing", nil)
	u.answers(200, "GET", "/v0.1/servers", nil)
	u.answers(422, "POST", "/mcp/servers/import", map[string]any{"name": "bad"})
	u.answers(200, "DELETE", at, nil)

	plain := s.as(t, "judged-user")
	plain.stack = u.stack
	plain.answers(403, "POST", "/packages/install", map[string]any{"name": "left-pad", "serverName": "x"})
	plain.answers(403, "POST", "/mcp/servers", map[string]any{"name": "mine", "command": "sh"})
	require.NotContains(t, string(plain.answers(200, "GET", "/mcp/servers", nil).body), self, "how an admin's server is started is the admins' business")
}
