package api

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"steward/internal/auth"
	"steward/internal/fault"
	"steward/internal/tool"
)

type callToolBody struct {
	UserID     string `json:"user_id,omitempty" maxLength:"255" doc:"The same as username." example:"user123"`
	Username   string `json:"username,omitempty" maxLength:"255" doc:"For callers with an API key: for whom, and whose stored secrets are used." example:"user123"`
	ServerName string `json:"serverName" minLength:"1" maxLength:"128" doc:"The MCP server, by name or number. One's own wins over an admin's of the same name." example:"mcp-github"`
	MethodName string `json:"methodName" minLength:"1" maxLength:"128" doc:"The tool, as GET /mcp/tools names it." example:"create_issue"`
	Args       object `json:"args" doc:"Its arguments. What the user has stored for the server goes into the tool's declared secret parameters and need not be given."`
}

type callToolInput struct {
	Caller

	IdempotencyKey string `header:"Idempotency-Key" maxLength:"257" doc:"Any visible ASCII, at most 255 bytes. For 24 hours the same key with the same call returns what was answered; with another call it is refused." example:"9f1c2d3e-issue"`
	Body           callToolBody
}

// ToolData is what a tool has answered.
type ToolData struct {
	Content     any    `json:"content" doc:"Text, or the structured result, or the list of content parts where they are not only text."`
	ContentType string `json:"contentType" enum:"text/plain,application/json" doc:"text/plain for text, application/json for the rest." example:"text/plain"`
}

type calledBody struct {
	Success bool      `json:"success" doc:"false: the tool itself says that it failed." example:"true"`
	Data    *ToolData `json:"data,omitempty" doc:"What the tool answered."`
	Error   string    `json:"error,omitempty" doc:"What the tool says went wrong." example:"repository not found"`
	CallID  string    `json:"call_id" doc:"The call, as the audit log and GET /mcp/tool/calls/{id} have it." example:"call_6ZV5Q2P7HGUS4YTNQWX3DKEMLA"`
}

type callToolOutput struct {
	Replayed string `header:"Idempotency-Replayed" doc:"true when the key was known: this is the earlier call's answer." example:"true"`
	Body     calledBody
}

func (h *tools) registerCall(api huma.API) {
	handle(api, endpoint{
		Operation: huma.Operation{
			OperationID: "callMCPTool", Method: http.MethodPost, Path: "/mcp/tool/call", Tags: []string{"tools"},
			Summary: "Call a tool of an MCP server",
			Description: "What may change something is written down before it is sent, and sent once: an answer that was lost is 502 with code `outcome_unknown` " +
				"and `call_id`, never a plain failure. A tool that ran and says that it failed is 200 with `success: false`. Arguments are checked against the " +
				"tool's input schema first. When a consent is missing: 403 with code `consent_required` and `connect_url`. A call goes on when its caller " +
				"hangs up; send an Idempotency-Key to be able to ask for the answer again.",
			Errors: []int{http.StatusNotFound, http.StatusConflict, http.StatusBadGateway},
		},
		access: access{scope: auth.ToolsCall, calls: true},
		asks: callToolBody{
			Username: "user123", ServerName: "mcp-github", MethodName: "create_issue",
			Args: object(`{"owner":"username","repo":"repo-name","title":"Issue title","body":"Issue description"}`),
		},
		answers: calledBody{
			Success: true, CallID: "call_6ZV5Q2P7HGUS4YTNQWX3DKEMLA",
			Data: &ToolData{Content: "Tool execution result", ContentType: textContent},
		},
	}, h.call)
}

func (h *tools) call(ctx context.Context, in *callToolInput) (*callToolOutput, error) {
	p, err := principalNamed(ctx, in.Body.UserID, in.Body.Username)
	if err != nil {
		return nil, err
	}
	d, err := directly(p, in.IdempotencyKey)
	if err != nil {
		return nil, err
	}
	server, err := h.servers.ByName(ctx, p.Owner, in.Body.ServerName)
	if err != nil {
		return nil, err
	}
	if server == nil || !server.Enabled {
		return nil, fault.New(fault.NotFound, "Server with name %s not found or not enabled", tool.Clean(in.Body.ServerName, 128))
	}
	d.Server, d.Tool, d.Arguments, d.Where = server.ID, in.Body.MethodName, json.RawMessage(in.Body.Args), "body.args"
	done, err := h.executor.Direct(context.WithoutCancel(ctx), d) // see directly
	if err != nil {
		return nil, h.links.explain(p.Owner, server.Name, err)
	}
	return &callToolOutput{Replayed: replayed(done.Replayed), Body: called(done)}, nil
}

// directly is a call that a request asks for, but for the tool. It is to be made in a context that the request does not
// cancel: the caller's connection may break at any moment, and a call under way is better finished than left unknown.
func directly(p auth.Principal, keyHeader string) (tool.Direct, error) {
	key, err := idempotencyKey(keyHeader)
	return tool.Direct{Owner: p.Owner, Actor: p.Actor, Via: tool.ViaREST, Key: key}, err
}

const (
	textContent = "text/plain"
	jsonContent = "application/json"
)

// called is an answer in the seed's form.
func called(d *tool.Done) calledBody {
	if d.IsError {
		return calledBody{Error: d.Text, CallID: d.CallID}
	}
	data := &ToolData{Content: d.Text, ContentType: textContent}
	switch r := d.Result; {
	case r == nil:
	case len(r.Structured) > 0:
		data = &ToolData{Content: r.Structured, ContentType: jsonContent}
	case !onlyText(r.Content):
		data = &ToolData{Content: r.Content, ContentType: jsonContent}
	}
	return calledBody{Success: true, Data: data, CallID: d.CallID}
}

// onlyText says that nothing is lost when the parts are read as text.
func onlyText(content json.RawMessage) bool {
	var parts []struct {
		Type string `json:"type"`
	}
	if json.Unmarshal(content, &parts) != nil {
		return false
	}
	for _, part := range parts {
		if part.Type != "text" {
			return false
		}
	}
	return true
}
