package llm

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/openai/openai-go/v3/packages/param"
	"github.com/openai/openai-go/v3/responses"

	"steward/internal/secret"
)

// HostedServer is a remote MCP server that the provider itself may call: the provider's network must reach
// it, and it sees the token and all data. Tools that are not in Allowed are not offered; of those, calls of
// tools that are not in Freely come back as questions first (HostedItem, ApprovalResponse).
type HostedServer struct {
	Label, URL, Description string
	Authorization           secret.String            // bearer token; zero: none
	Headers                 map[string]secret.String // further headers of every request to it
	Allowed                 []string
	Freely                  []string
}

func (s HostedServer) tool() (*responses.ToolMcpParam, error) {
	if s.Label == "" || s.URL == "" {
		return nil, errors.New("an MCP server has no label or no URL")
	}
	if len(s.Allowed) == 0 { // an empty list would not be sent, and everything would be allowed
		return nil, fmt.Errorf("MCP server %q has no allowed tools", s.Label)
	}
	p := &responses.ToolMcpParam{
		ServerLabel: s.Label, ServerURL: param.NewOpt(s.URL),
		AllowedTools:    responses.ToolMcpAllowedToolsUnionParam{OfMcpAllowedTools: s.Allowed},
		RequireApproval: s.approval(),
	}
	if s.Description != "" {
		p.ServerDescription = param.NewOpt(s.Description)
	}
	if !s.Authorization.IsZero() {
		p.Authorization = param.NewOpt(s.Authorization.Reveal())
	}
	for name, value := range s.Headers {
		if p.Headers == nil {
			p.Headers = map[string]string{}
		}
		p.Headers[name] = value.Reveal()
	}
	return p, nil
}

// approval names tools on both sides: read-only is the server's own claim, and what is on neither side would
// be up to the provider.
func (s HostedServer) approval() responses.ToolMcpRequireApprovalUnionParam {
	var always, never []string
	for _, name := range s.Allowed {
		if slices.Contains(s.Freely, name) {
			never = append(never, name)
		} else {
			always = append(always, name)
		}
	}
	switch {
	case never == nil:
		return responses.ToolMcpRequireApprovalUnionParam{OfMcpToolApprovalSetting: param.NewOpt("always")}
	case always == nil:
		return responses.ToolMcpRequireApprovalUnionParam{OfMcpToolApprovalSetting: param.NewOpt("never")}
	}
	return responses.ToolMcpRequireApprovalUnionParam{OfMcpToolApprovalFilter: &responses.ToolMcpRequireApprovalMcpToolApprovalFilterParam{
		Always: responses.ToolMcpRequireApprovalMcpToolApprovalFilterAlwaysParam{ToolNames: always},
		Never:  responses.ToolMcpRequireApprovalMcpToolApprovalFilterNeverParam{ToolNames: never},
	}}
}

// ApprovalResponse is the input item that answers the question with this id. The question's own item must
// be in the same input, before it.
func ApprovalResponse(question string, approve bool, reason string) json.RawMessage {
	return item(struct {
		Type     string `json:"type"`
		Question string `json:"approval_request_id"`
		Approve  bool   `json:"approve"`
		Reason   string `json:"reason,omitempty"`
	}{"mcp_approval_response", question, approve, reason})
}
