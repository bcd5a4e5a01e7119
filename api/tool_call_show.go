package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"steward/internal/auth"
	"steward/internal/automation"
	"steward/internal/tool"
)

// MCPToolCall is one call outside a run, as the ledger has it.
type MCPToolCall struct {
	CallID     string               `json:"call_id" doc:"The call." example:"call_6ZV5Q2P7HGUS4YTNQWX3DKEMLA"`
	ServerName string               `json:"serverName" doc:"What it went to." example:"mcp-github"`
	MethodName string               `json:"methodName" doc:"The tool." example:"create_issue"`
	Class      automation.Class     `json:"class" enum:"read,idempotent,effect" doc:"How often it may be sent." example:"effect"`
	State      automation.CallState `json:"state" enum:"claimed,done,failed,unknown" doc:"claimed: under way. unknown: nobody can say whether it took effect." example:"done"`
	Reason     string               `json:"reason,omitempty" doc:"Why it is not done." example:"no answer in time"`
	ResolvedBy string               `json:"resolved_by,omitempty" doc:"probe: the receiver was asked afterwards." example:"probe"`
	CreatedAt  time.Time            `json:"created_at" doc:"When it was claimed."`
	SettledAt  *time.Time           `json:"settled_at" doc:"When its outcome was written down; null while it is under way."`
	Success    bool                 `json:"success" doc:"Whether the tool carried it out, as far as is known." example:"true"`
	Data       *ToolData            `json:"data,omitempty" doc:"What the tool answered."`
	Error      string               `json:"error,omitempty" doc:"What the tool says went wrong." example:"repository not found"`
}

type showToolCallInput struct {
	Caller

	ID string `path:"id" maxLength:"64" doc:"The call's id." example:"call_6ZV5Q2P7HGUS4YTNQWX3DKEMLA"`
}

type showToolCallOutput struct{ Body MCPToolCall }

func (h *tools) registerShow(api huma.API) {
	settled := time.Date(2026, 11, 20, 9, 30, 2, 0, time.UTC)
	handle(api, endpoint{
		Operation: huma.Operation{
			OperationID: "showMCPToolCall", Method: http.MethodGet, Path: "/mcp/tool/calls/{id}", Tags: []string{"tools"},
			Summary: "Look at a call outside a run",
			Description: "What became of a call that may have changed something. When the process that made it dies before it has an answer, the receiver is " +
				"asked once the call's time is over; `unknown` says that it could not tell, and stays. Calls that only read are in the audit log alone.",
			Errors: []int{http.StatusNotFound},
		},
		access: access{scope: auth.ToolsRead},
		answers: MCPToolCall{
			CallID: "call_6ZV5Q2P7HGUS4YTNQWX3DKEMLA", ServerName: "mcp-github", MethodName: "create_issue", Class: automation.Effect,
			State: automation.CallDone, CreatedAt: settled.Add(-time.Second), SettledAt: &settled, Success: true,
			Data: &ToolData{Content: "Tool execution result", ContentType: textContent},
		},
	}, h.show)
}

func (h *tools) show(ctx context.Context, in *showToolCallInput) (*showToolCallOutput, error) {
	p, err := principal(ctx)
	if err != nil {
		return nil, err
	}
	found, err := h.executor.Look(ctx, p.Owner, in.ID)
	if err != nil {
		return nil, err
	}
	return &showToolCallOutput{Body: shownCall(found)}, nil
}

func shownCall(l tool.Ledger) MCPToolCall {
	row := l.Row
	shown := MCPToolCall{
		CallID: row.ID, ServerName: row.ServerName, MethodName: row.ToolName, Class: automation.Class(row.Class),
		State: automation.CallState(row.State), Reason: row.Reason, ResolvedBy: row.ResolvedBy, CreatedAt: row.CreatedAt, SettledAt: row.SettledAt,
	}
	if l.Done != nil {
		answered := called(l.Done)
		shown.Data, shown.Error = answered.Data, answered.Error
	}
	shown.Success = shown.State == automation.CallDone
	return shown
}
