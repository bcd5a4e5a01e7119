package api_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/jsonschema-go/jsonschema"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"

	"steward/api"
	"steward/internal/auth"
)

// bearer adds a token to what a client sends.
type bearer struct{ token string }

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+b.token)
	return http.DefaultTransport.RoundTrip(r)
}

// listen serves the rig's handler to real clients.
func (r *rig) listen() string {
	server := httptest.NewServer(r.handler)
	r.t.Cleanup(server.Close)
	return server.URL
}

// revisions are all that there are, each of which a client may insist on.
var revisions = []string{"2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"}

// connect opens an MCP session as owner.
func (r *rig) session(url, revision, token string) *sdk.ClientSession {
	r.t.Helper()
	client := sdk.NewClient(&sdk.Implementation{Name: "test", Version: "1"}, nil)
	transport := &sdk.StreamableClientTransport{Endpoint: url + "/mcp", HTTPClient: &http.Client{Transport: bearer{token}}}
	session, err := client.Connect(r.t.Context(), transport, &sdk.ClientSessionOptions{ProtocolVersion: revision})
	require.NoError(r.t, err)
	r.t.Cleanup(func() { _ = session.Close() })
	return session
}

func text(t *testing.T, result *sdk.CallToolResult) string {
	t.Helper()
	require.NotEmpty(t, result.Content)
	content, ok := result.Content[0].(*sdk.TextContent)
	require.True(t, ok)
	return content.Text
}

func TestMCPSpeaksEveryRevision(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	url, alice := r.listen(), r.token("alice", auth.User)
	id := r.run("alice")
	for _, revision := range revisions {
		t.Run(revision, func(t *testing.T) {
			t.Parallel()
			session := r.session(url, revision, alice)
			tools, err := session.ListTools(t.Context(), nil)
			require.NoError(t, err)
			var names []string
			for _, tool := range tools.Tools {
				names = append(names, tool.Name)
				require.NotEmpty(t, tool.Title)
				require.NotNil(t, tool.Annotations.DestructiveHint)
				require.NotNil(t, tool.Annotations.OpenWorldHint)
			}
			require.Equal(t, []string{
				"call_tool", "cancel_run", "decide_call", "get_automation_runs", "get_mcp_servers", "get_run_detail", "get_workflow_history",
				"list_tools", "run_automation",
			}, names)
			for tool, arguments := range map[string]map[string]any{
				"get_run_detail": {"run_id": id}, "get_automation_runs": {}, "get_workflow_history": {"run_id": id}, "get_mcp_servers": {}, "list_tools": {},
			} {
				result, err := session.CallTool(t.Context(), &sdk.CallToolParams{Name: tool, Arguments: arguments})
				require.NoError(t, err, tool)
				require.False(t, result.IsError, text(t, result))
				whole, err := json.Marshal(result.StructuredContent)
				require.NoError(t, err)
				require.JSONEq(t, text(t, result), string(whole))
			}
		})
	}
}

func TestMCPShowsWhatTheAPIShows(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	alice := r.token("alice", auth.User)
	id := r.run("alice")
	session := r.session(r.listen(), "", alice)
	shapes := outputs(t, session)
	same := func() {
		for tool, path := range map[string]string{"get_run_detail": "/automation/run/1", "get_workflow_history": "/automation/run/1/history"} {
			result, err := session.CallTool(t.Context(), &sdk.CallToolParams{Name: tool, Arguments: map[string]any{"run_id": id}})
			require.NoError(t, err)
			require.JSONEq(t, r.do(call{path: path, token: alice}).Body.String(), text(t, result))
			require.NoError(t, shapes[tool].Validate(result.StructuredContent), tool)
		}
		for _, tool := range []string{"get_automation_runs", "get_mcp_servers", "list_tools"} {
			result, err := session.CallTool(t.Context(), &sdk.CallToolParams{Name: tool})
			require.NoError(t, err)
			require.NoError(t, shapes[tool].Validate(result.StructuredContent), tool)
		}
	}
	same()
	r.question("alice", id, "call_1")
	same()
	r.finish(id)
	same()
}

// outputs are the schemas of the tools' answers.
func outputs(t *testing.T, session *sdk.ClientSession) map[string]*jsonschema.Resolved {
	t.Helper()
	tools, err := session.ListTools(t.Context(), nil)
	require.NoError(t, err)
	shapes := map[string]*jsonschema.Resolved{}
	for _, tool := range tools.Tools {
		if tool.OutputSchema == nil {
			continue
		}
		doc, err := json.Marshal(tool.OutputSchema)
		require.NoError(t, err)
		var schema jsonschema.Schema
		require.NoError(t, json.Unmarshal(doc, &schema))
		shapes[tool.Name], err = schema.Resolve(nil)
		require.NoError(t, err)
	}
	return shapes
}

// rpc is one message to /mcp.
func rpc(method, params, revision string) call {
	c := call{
		method: http.MethodPost, path: "/mcp", body: `{"jsonrpc":"2.0","id":1,"method":"` + method + `","params":` + params + `}`,
		header: map[string]string{"Accept": "application/json, text/event-stream"},
	}
	if revision == "2026-07-28" {
		c.header["Mcp-Protocol-Version"], c.header["Mcp-Method"] = revision, method
		meta := `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"t","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}`
		c.body = strings.Replace(c.body, `"params":{`, `"params":{`+meta+`,`, 1)
		c.body = strings.Replace(c.body, `,}`, `}`, 1)
	}
	return c
}

func toolCall(name, arguments string) call {
	c := rpc("tools/call", `{"name":"`+name+`","arguments":`+arguments+`}`, "2026-07-28")
	c.header["Mcp-Name"] = name
	return c
}

// unread fails the test when somebody reads it.
type unread struct{ t *testing.T }

func (u unread) Read([]byte) (int, error) {
	u.t.Error("the body was read")
	return 0, http.ErrBodyReadAfterClose
}

func TestMCPAuthenticatesBeforeItReads(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	other := r.options
	other.Audience = "http://elsewhere.test"
	foreign := &rig{t: t, options: other}
	for _, path := range []string{"/mcp", "/mcp/", "/mcp/messages/"} {
		for name, authorization := range map[string]string{
			"none": "", "garbage": "Bearer garbage", "another audience": "Bearer " + foreign.token("alice", auth.User), "basic": "Basic YTpi",
		} {
			for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodDelete} {
				req := httptest.NewRequestWithContext(t.Context(), method, publicURL+path, unread{t})
				req.Header.Set("Content-Type", "application/json")
				req.Header.Set("Accept", "application/json, text/event-stream")
				if authorization != "" {
					req.Header.Set("Authorization", authorization)
				}
				w := httptest.NewRecorder()
				r.handler.ServeHTTP(w, req)
				if w.Code == http.StatusMethodNotAllowed && path != "/mcp" {
					continue
				}
				problem(t, w, http.StatusUnauthorized)
				challenge := w.Header().Get("WWW-Authenticate")
				require.Contains(t, challenge, `resource_metadata="`+publicURL+`/.well-known/oauth-protected-resource/mcp"`, name)
				require.Contains(t, challenge, `scope="runs:read"`, name)
				require.Equal(t, name != "none", strings.Contains(challenge, `error="invalid_token"`), name)
			}
		}
	}
	meta := decoded[map[string]any](t, r.do(call{path: "/.well-known/oauth-protected-resource/mcp"}), http.StatusOK)
	require.Equal(t, publicURL+"/mcp", meta["resource"])
	query := rpc("tools/list", `{}`, "2026-07-28")
	query.path += "?access_token=" + r.token("alice", auth.User)
	problem(t, r.mcp(query), http.StatusUnauthorized)
}

// mcp is do without the check against the OpenAPI document, in which MCP has no place.
func (r *rig) mcp(c call) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	r.handler.ServeHTTP(w, r.request(c))
	return w
}

func TestMCPScopesStepByStep(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	need := map[string]auth.Scope{
		"get_automation_runs": auth.RunsRead, "get_run_detail": auth.RunsRead, "get_workflow_history": auth.RunsRead, "get_mcp_servers": auth.ServersRead,
		"run_automation": auth.RunsExecute, "cancel_run": auth.RunsExecute, "decide_call": auth.RunsApprove, "list_tools": auth.ToolsRead, "call_tool": auth.ToolsCall,
	}
	for tool, scope := range need {
		for _, has := range auth.User.Scopes() {
			c := toolCall(tool, `{}`)
			c.token = r.token("alice", auth.User, has)
			w := r.mcp(c)
			if has == scope {
				require.Equal(t, http.StatusOK, w.Code, "%s with %s: %s", tool, has, w.Body)
				continue
			}
			require.Equal(t, auth.CodeInsufficientScope, problem(t, w, http.StatusForbidden).Code)
			require.Contains(t, w.Header().Get("WWW-Authenticate"), `error="insufficient_scope", scope="`+string(scope)+`"`)
		}
	}
	decide := toolCall("decide_call", `{"run_id":1,"call_id":"c","decision":"approve","digest":"d"}`)
	decide.key = r.apiKey("alice")
	decide.path += "?user_id=alice"
	problem(t, r.mcp(decide), http.StatusForbidden)
}

func TestMCPRefusesWhatTwoReadersReadDifferently(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	alice := r.token("alice", auth.User)
	for name, body := range map[string]string{
		"batch":              `[{"jsonrpc":"2.0","id":1,"method":"ping"}]`,
		"not JSON":           `{"jsonrpc":`,
		"two values":         `{"jsonrpc":"2.0","id":1,"method":"ping"} {}`,
		"method twice":       `{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/list"}`,
		"method spelled":     `{"jsonrpc":"2.0","id":1,"method":"ping","Method":"tools/list"}`,
		"name twice":         `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_run_detail","name":"run_automation"}}`,
		"name spelled":       `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_run_detail","Name":"run_automation"}}`,
		"argument twice":     `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_run_detail","arguments":{"run_id":1,"run_id":2}}}`,
		"escaped twice":      `{"jsonrpc":"2.0","id":1,"method":"ping","\u006dethod":"tools/list"}`,
		"deep":               `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":` + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + `}}`,
		"not UTF-8":          "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"pi\xffng\"}",
		"not JSON-RPC 2.0":   `{"jsonrpc":"1.0","id":1,"method":"ping"}`,
		"a number as method": `{"jsonrpc":"2.0","id":1,"method":7}`,
	} {
		c := rpc("ping", `{}`, "")
		c.body, c.token = body, alice
		w := r.mcp(c)
		require.Equal(t, http.StatusBadRequest, w.Code, "%s: %s", name, w.Body)
		require.Contains(t, w.Body.String(), `"error"`, name)
	}
	for name, change := range map[string]func(c *call){
		"another method": func(c *call) { c.header["Mcp-Method"] = "tools/list" },
		"another name":   func(c *call) { c.header["Mcp-Name"] = "run_automation" },
		"no name":        func(c *call) { delete(c.header, "Mcp-Name") },
	} {
		c := toolCall("get_run_detail", `{"run_id":1}`)
		c.token = alice
		change(&c)
		w := r.mcp(c)
		require.Equal(t, http.StatusBadRequest, w.Code, name)
		require.Contains(t, w.Body.String(), "-32020", name)
	}
}

func TestMCPRefusesForeignSitesAndHosts(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for header, want := range map[string]int{"Origin": http.StatusForbidden, "Host": http.StatusMisdirectedRequest} {
		for _, method := range []string{http.MethodPost, http.MethodGet} {
			c := rpc("ping", `{}`, "")
			c.token, c.method = r.token("alice", auth.User), method
			c.header[header] = map[string]string{"Origin": "http://evil.test", "Host": "evil.test"}[header]
			problem(t, r.mcp(c), want)
		}
	}
}

func TestMCPIsLimited(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.deps.Rates.MCP = 2
	limited := newRigWith(t, r)
	c := rpc("tools/list", `{}`, "2026-07-28")
	c.token = r.token("alice", auth.User)
	for _, want := range []int{http.StatusOK, http.StatusOK, http.StatusTooManyRequests} {
		require.Equal(t, want, limited.mcp(c).Code)
	}
	c.token = r.token("bob", auth.User)
	require.Equal(t, http.StatusOK, limited.mcp(c).Code)
	c.body = `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":"` + strings.Repeat("x", 4<<20) + `"}}`
	problem(t, r.mcp(c), http.StatusRequestEntityTooLarge)
}

func TestMCPSessionsBelongToOneUser(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	open := rpc("initialize", `{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}`, "")
	open.token = r.token("alice", auth.User)
	w := r.mcp(open)
	require.Equal(t, http.StatusOK, w.Code, w.Body.String())
	id := w.Header().Get("Mcp-Session-Id")
	require.Len(t, id, 26, "128 bits and more")

	ping := rpc("ping", `{}`, "")
	ping.header["Mcp-Session-Id"], ping.header["Mcp-Protocol-Version"] = id, "2025-11-25"
	ping.token = open.token
	require.Equal(t, http.StatusOK, r.mcp(ping).Code)

	var answers []string
	for _, who := range []func(c *call){
		func(c *call) { c.token = r.token("bob", auth.User) },
		func(c *call) { c.token = ""; c.key = r.apiKey("alice"); c.path += "?user_id=alice" },
		func(c *call) { c.header["Mcp-Session-Id"] = strings.Repeat("A", 26) },
	} {
		for _, method := range []string{http.MethodPost, http.MethodGet, http.MethodDelete} {
			c := rpc("ping", `{}`, "")
			c.header["Mcp-Session-Id"], c.header["Mcp-Protocol-Version"], c.token, c.method = id, "2025-11-25", open.token, method
			if method == http.MethodDelete {
				c.body = ""
			}
			who(&c)
			answers = append(answers, problem(t, r.mcp(c), http.StatusNotFound).Detail)
		}
	}
	for _, a := range answers {
		require.Equal(t, answers[0], a)
	}
	require.Equal(t, http.StatusOK, r.mcp(ping).Code, "nobody ended it")
	ping.method, ping.body = http.MethodDelete, ""
	require.Equal(t, http.StatusNoContent, r.mcp(ping).Code)
	require.Eventually(t, func() bool { return r.mcp(ping).Code == http.StatusNotFound }, time.Second, time.Millisecond)
}

// newRigWith is another edge over the same database, with the other's dependencies as they are now.
func newRigWith(t *testing.T, r *rig) *rig {
	t.Helper()
	changed := *r
	var err error
	changed.handler, err = api.New(r.deps)
	require.NoError(t, err)
	return &changed
}
