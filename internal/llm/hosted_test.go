package llm

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"steward/internal/secret"
)

const (
	hostedToken  = "ya29.canary-token-5512"
	hostedHeader = "header-canary-9031"
)

func mailServer() HostedServer {
	return HostedServer{
		Label: "mail", URL: "https://mcp.example.com/mcp", Description: "Mail", Authorization: secret.New(hostedToken),
		Headers: map[string]secret.String{"X-Team": secret.New(hostedHeader)},
		Allowed: []string{"search", "send"}, Freely: []string{"search", "not_allowed"},
	}
}

func TestHostedServerOnTheWire(t *testing.T) {
	t.Parallel()
	asks, free := mailServer(), mailServer()
	asks.Freely, free.Freely = nil, free.Allowed
	for approval, server := range map[string]HostedServer{
		`{"always":{"tool_names":["send"]},"never":{"tool_names":["search"]}}`: mailServer(),
		`"always"`: asks,
		`"never"`:  free,
	} {
		c, seen := serve(t, answer(200, completed))
		_, err := c.Respond(t.Context(), Request{Model: "m", Tools: []Tool{{Name: "a"}}, Servers: []HostedServer{server}})
		require.NoError(t, err)
		var body struct{ Tools []json.RawMessage }
		require.NoError(t, json.Unmarshal((<-seen).Body, &body))
		require.Len(t, body.Tools, 2)
		require.JSONEq(t, fmt.Sprintf(`{"type":"mcp","server_label":"mail","server_url":"https://mcp.example.com/mcp",
			"server_description":"Mail","authorization":%q,"headers":{"X-Team":%q},"allowed_tools":["search","send"],
			"require_approval":%s}`, hostedToken, hostedHeader, approval), string(body.Tools[1]))
	}
}

func TestHostedServerIsNotSent(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*HostedServer){
		"no label": func(s *HostedServer) { s.Label = "" }, "no URL": func(s *HostedServer) { s.URL = "" },
		"everything allowed": func(s *HostedServer) { s.Allowed = nil },
	} {
		server := mailServer()
		change(&server)
		c, seen := serve(t, answer(200, completed))
		_, err := c.Respond(t.Context(), Request{Model: "m", Servers: []HostedServer{server}})
		require.Equal(t, CodeBadRequest, requireError(t, err).Code, name)
		require.Empty(t, seen)
	}
}

// TestHostedSecretsDoNotComeBack has the provider repeat what it was given, everywhere.
func TestHostedSecretsDoNotComeBack(t *testing.T) {
	t.Parallel()
	all := hostedToken + " " + hostedHeader
	item := fmt.Sprintf(`{"type":"mcp_call","id":"mcp_1","server_label":"mail","name":"search","arguments":"{\"q\":\"%s\"}",
		"output":"%s","error":{"type":"http_error","code":401,"message":"Bearer %s"}}`, all, all, all)
	body := fmt.Sprintf(`{"id":"r","status":"completed","output":[%s,{"type":"reasoning","n":9007199254740993, "s":"<&>"}]}`, item)
	for name, h := range map[string]http.HandlerFunc{
		"response": answer(200, body),
		"stream":   events(`{"type":"response.output_item.done","item":`+oneLine(t, item)+`}`, `{"type":"response.completed","response":`+oneLine(t, body)+`}`),
		"items":    events(`{"type":"response.output_item.done","item":`+oneLine(t, item)+`}`, final("completed")),
		"refusal":  answer(424, `{"error":{"type":"external_connector_error","code":"`+hostedToken+`","param":"`+hostedHeader+`","message":"MCP server: '`+hostedHeader+`' (401 Unauthorized) `+all+`"}}`, "X-Request-Id", hostedHeader),
		"failed":   answer(200, `{"id":"r","status":"failed","error":{"code":"`+hostedHeader+`","message":"`+all+`"}}`),
		"header":   answer(200, `{"id":"`+hostedHeader+`","status":"completed"}`),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, _ := serve(t, h)
			do := c.Respond
			if name == "stream" || name == "items" {
				do = func(ctx context.Context, r Request) (*Response, error) { return c.Stream(ctx, r, nil) }
			}
			res, err := do(t.Context(), Request{Model: "m", Servers: []HostedServer{mailServer()}})
			raw, jsonErr := json.Marshal(res)
			require.NoError(t, jsonErr)
			told := fmt.Sprintf("%s %+v %v %#v", raw, res, err, err)
			require.NotContains(t, told, hostedToken)
			require.NotContains(t, told, hostedHeader)
			if name == "response" || name == "stream" || name == "items" {
				require.NoError(t, err)
				require.Equal(t, "http_error", res.Hosted[0].Failure)
			}
			if name == "response" {
				require.Equal(t, raws(`{"type":"reasoning","n":9007199254740993, "s":"<&>"}`), res.Items[1:], "the rest is untouched")
			}
		})
	}
}

func oneLine(t *testing.T, text string) string {
	var b bytes.Buffer
	require.NoError(t, json.Compact(&b, []byte(text)))
	return b.String()
}

func TestConnectorErrorNamesTheServer(t *testing.T) {
	t.Parallel()
	for message, want := range map[string]Error{
		"Error retrieving tool list from MCP server: 'mail'. Http status code: 401 (Unauthorized)": {Server: "mail", Inner: 401},
		`Could not reach MCP server "a.b-c": (503 Service Unavailable)`:                            {Server: "a.b-c", Inner: 503},
		"MCP server 'mail' is not there":                                                           {Server: "mail"},
		"failed with status 502":                                                                   {Inner: 502},
		"port 8401, model gpt-500, (4010), 'x'":                                                    {},
		"MCP server: 'drop table; --' status code: 999":                                            {},
		"": {},
	} {
		body, err := json.Marshal(map[string]any{"error": map[string]any{"type": CodeConnector, "message": message}})
		require.NoError(t, err)
		c, _ := serve(t, answer(424, string(body)))
		_, err = c.Respond(t.Context(), Request{Model: "m"})
		e := requireError(t, err)
		require.Equal(t, want, Error{Server: e.Server, Inner: e.Inner}, message)
		require.Equal(t, CodeConnector, e.Code)
		require.True(t, e.Retryable)
	}
}

func TestHostedItems(t *testing.T) {
	t.Parallel()
	yes, no := true, false
	for raw, want := range map[string]HostedItem{
		`{"type":"mcp_list_tools","id":"l","server_label":"s","tools":[{"name":"a","description":"d","input_schema":{"n":1},"annotations":{"read_only":true}},{"name":"b","annotations":{"readOnlyHint":false}},{"name":"c","annotations":null}]}`: {
			Kind: "list", ID: "l", Server: "s", Tools: []HostedTool{
				{Name: "a", Description: "d", InputSchema: json.RawMessage(`{"n":1}`), ReadOnly: &yes}, {Name: "b", ReadOnly: &no}, {Name: "c"},
			},
		},
		`{"type":"mcp_list_tools","server_label":"s","tools":[],"error":"no route"}`: {Kind: "list", Server: "s", Failure: "unknown", FailureText: "no route"},
		`{"type":"mcp_call","id":"c","server_label":"s","name":"n","arguments":"{}","output":"o","approval_request_id":"q","status":"completed","error":null}`: {
			Kind: "call", ID: "c", Server: "s", Name: "n", Arguments: "{}", Output: "o", Question: "q", Status: "completed",
		},
		`{"type":"mcp_call","arguments":{"a": 1},"output":{"x":2}}`:                                                                            {Kind: "call", Arguments: `{"a": 1}`, Output: `{"x":2}`},
		`{"type":"mcp_call","output":null,"error":{"type":"mcp_protocol_error","code":-32602,"message":"m"}}`:                                  {Kind: "call", Failure: "mcp_protocol_error", FailureText: "m", FailureStatus: -32602},
		`{"type":"mcp_call","error":{"type":"mcp_tool_execution_error","content":[{"type":"text","text":"a"},{"type":"image"},{"text":"b"}]}}`: {Kind: "call", Failure: "mcp_tool_execution_error", FailureText: "a\nb"},
		`{"type":"mcp_call","error":{"type":"mcp_tool_execution_error","content":"plain"}}`:                                                    {Kind: "call", Failure: "mcp_tool_execution_error", FailureText: "plain"},
		`{"type":"mcp_call","error":{"type":"two words","message":"m"}}`:                                                                       {Kind: "call", Failure: "unknown", FailureText: "m"},
		`{"type":"mcp_call","error":{"type":7}}`:                                                                                               {Kind: "call", Failure: "unknown", FailureText: `{"type":7}`},
		`{"type":"mcp_call","status":"failed"}`:                                                                                                {Kind: "call", Status: "failed", Failure: "unknown"},
		`{"type":"mcp_call","id":"c","name":["n"]}`:                                                                                            {Kind: "call", ID: "c", Failure: "unknown"},
		`{"type":"mcp_approval_request","id":"q","server_label":"s","name":"n","arguments":"{\"a\":1}"}`:                                       {Kind: "question", ID: "q", Server: "s", Name: "n", Arguments: `{"a":1}`},
	} {
		res, err := decode([]byte(`{"id":"r","status":"completed","output":[`+raw+`]}`), guard{})
		require.NoError(t, err)
		require.Empty(t, cmp.Diff([]HostedItem{want}, res.Hosted), raw)
	}
	res, err := decode([]byte(`{"id":"r","status":"incomplete","output":[{"type":"mcp_call","id":"c"},{"type":"mcp_approval_request","id":"q"}]}`), guard{})
	require.NoError(t, err)
	require.Equal(t, []HostedItem{{Kind: "call", ID: "c"}}, res.Hosted, "a cut question is not asked, what was done is told")
}

func TestApprovalResponse(t *testing.T) {
	t.Parallel()
	require.JSONEq(t, `{"type":"mcp_approval_response","approval_request_id":"q","approve":false,"reason":"not \"him\""}`, string(ApprovalResponse("q", false, `not "him"`)))
	require.JSONEq(t, `{"type":"mcp_approval_response","approval_request_id":"q","approve":true}`, string(ApprovalResponse("q", true, "")))
}
