package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"steward/internal/auth"
	"steward/internal/fault"
	"steward/internal/registry"
)

// ServerToolNamed is the path of calls about one tool of a server. Names with a slash are sent encoded.
type ServerToolNamed struct {
	ServerNamed

	Tool string `path:"tool" minLength:"1" maxLength:"256" doc:"The server's name for the tool." example:"create_issue"`
}

type overrideInput struct {
	Caller
	ServerToolNamed

	Body overrideBody
}

type overrideBody struct {
	ToolHints

	Enabled   *bool `json:"enabled,omitempty" doc:"Whether it may be called; default true." example:"true"`
	TimeoutMS int64 `json:"timeout_ms,omitempty" minimum:"0" maximum:"240000" doc:"How long one call may take, 4 minutes at most; 0: the server's." example:"30000"`

	UserID   string `json:"user_id,omitempty" maxLength:"255" doc:"For callers with an API key: for whom." example:"user_123"`
	Username string `json:"username,omitempty" maxLength:"255" doc:"The same as user_id." example:"user_123"`
}

type knownToolBody struct {
	Success bool      `json:"success" doc:"Always true." example:"true"`
	Tool    KnownTool `json:"tool" doc:"The tool as it is now."`
}

type knownToolOutput struct{ Body knownToolBody }

func (h *servers) registerOverride(api huma.API) {
	handle(api, endpoint{
		Operation: huma.Operation{
			OperationID: "overrideServerTool", Method: http.MethodPut, Path: "/mcp/servers/{name}/tools/{tool}", Tags: []string{"servers"},
			Summary: "Say what a server's tool does",
			Description: "The word of the server's owner, an admin for an admin's server, in place of what was said before. It wins over the server's own; what is " +
				"left out is as the server says, where an admin trusts it. A tool that is said to be read-only is repeated freely and called without asking.",
			Errors: []int{http.StatusNotFound},
		},
		access:  access{scope: auth.ServersWrite},
		asks:    overrideBody{ToolHints: ToolHints{ReadOnly: of(true)}, TimeoutMS: 30000},
		answers: knownToolBody{Success: true, Tool: exampleKnownTool()},
	}, h.override)
}

func (h *servers) override(ctx context.Context, in *overrideInput) (*knownToolOutput, error) {
	b := in.Body
	if _, err := principalNamed(ctx, b.UserID, b.Username); err != nil {
		return nil, err
	}
	return h.decide(ctx, in.ServerToolNamed, func(p auth.Principal, server int64) error {
		return h.registry.SetOverride(ctx, p, server, in.Tool, registry.Override{
			ReadOnly: b.ReadOnly, Destructive: b.Destructive, Idempotent: b.Idempotent, OpenWorld: b.OpenWorld,
			Disabled: b.Enabled != nil && !*b.Enabled, Timeout: time.Duration(b.TimeoutMS) * time.Millisecond,
		})
	})
}

type reviewInput struct {
	Caller
	ServerToolNamed

	Body reviewBody
}

type reviewBody struct {
	Accept bool   `json:"accept" doc:"Whether the tool may be called as it is now." example:"true"`
	Pin    string `json:"pin" minLength:"1" maxLength:"64" doc:"The pin of the definition that was looked at." example:"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"`

	UserID   string `json:"user_id,omitempty" maxLength:"255" doc:"For callers with an API key: for whom." example:"user_123"`
	Username string `json:"username,omitempty" maxLength:"255" doc:"The same as user_id." example:"user_123"`
}

func (h *servers) registerReview(api huma.API) {
	handle(api, endpoint{
		Operation: huma.Operation{
			OperationID: "reviewServerTool", Method: http.MethodPost, Path: "/mcp/servers/{name}/tools/{tool}/review", Tags: []string{"servers"},
			Summary: "Accept or reject a tool's definition",
			Description: "For whoever may change the server. Runs that wait for it look again. 409 with code `stale_pin`: the server has changed the definition since " +
				"it was looked at.",
			Errors: []int{http.StatusNotFound, http.StatusConflict},
		},
		access:  access{scope: auth.ServersWrite},
		asks:    reviewBody{Accept: true, Pin: exampleKnownTool().Pin},
		answers: knownToolBody{Success: true, Tool: exampleKnownTool()},
	}, h.review)
}

func (h *servers) review(ctx context.Context, in *reviewInput) (*knownToolOutput, error) {
	if _, err := principalNamed(ctx, in.Body.UserID, in.Body.Username); err != nil {
		return nil, err
	}
	return h.decide(ctx, in.ServerToolNamed, func(p auth.Principal, server int64) error {
		return h.registry.Review(ctx, p, server, in.Tool, in.Body.Accept, in.Body.Pin)
	})
}

// decide changes what is known of a tool and returns it.
func (h *servers) decide(ctx context.Context, named ServerToolNamed, change func(p auth.Principal, server int64) error) (*knownToolOutput, error) {
	p, row, err := h.find(ctx, named.Name, absentServer)
	if err != nil {
		return nil, err
	}
	if err := change(p, row.ID); err != nil {
		return nil, err
	}
	known, err := h.registry.Inspect(ctx, row)
	if err != nil {
		return nil, err
	}
	for _, k := range known {
		if k.Name == named.Tool {
			return &knownToolOutput{Body: knownToolBody{Success: true, Tool: knownTool(k)}}, nil
		}
	}
	return nil, fault.New(fault.NotFound, "the server has no such tool")
}
