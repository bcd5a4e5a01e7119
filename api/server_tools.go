package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"steward/internal/auth"
	"steward/internal/registry"
	"steward/internal/tool"
)

// KnownTool is a tool of a server with what somebody has decided about it.
type KnownTool struct {
	ServerTool

	Title      string     `json:"title,omitempty" doc:"Its name for people." example:"Create an issue"`
	Pin        string     `json:"pin" doc:"Digest of its definition as last seen: what a review names." example:"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"`
	Gone       bool       `json:"gone,omitempty" doc:"The server offers it no more. It is compared when it comes back." example:"false"`
	SeenAt     time.Time  `json:"seen_at" doc:"When this definition was first seen."`
	Hints      ToolHints  `json:"hints" doc:"What counts: the override, else the server's own word where an admin trusts it. Left out: nobody has said it, so the worst is assumed."`
	Override   Overridden `json:"override" doc:"What the server's owner says of it."`
	ReviewedBy string     `json:"reviewed_by,omitempty" doc:"Who looked at it last; left out: it was taken as it was when first seen." example:"alice"`
	ReviewedAt *time.Time `json:"reviewed_at,omitempty" doc:"When."`
	Drift      *Drift     `json:"drift,omitempty" doc:"How its definition differs from the one agreed to."`
}

// ToolHints are a tool's annotations.
type ToolHints struct {
	ReadOnly    *bool `json:"read_only,omitempty" doc:"It changes nothing." example:"true"`
	Destructive *bool `json:"destructive,omitempty" doc:"It may destroy something." example:"false"`
	Idempotent  *bool `json:"idempotent,omitempty" doc:"The same call twice does no more than once." example:"true"`
	OpenWorld   *bool `json:"open_world,omitempty" doc:"It reaches what others write." example:"false"`
}

// Overridden is what a server's owner says of a tool. It wins over what the server says.
type Overridden struct {
	ToolHints

	Enabled   bool  `json:"enabled" doc:"Whether it may be called." example:"true"`
	TimeoutMS int64 `json:"timeout_ms" doc:"How long one call may take; 0: the server's." example:"0"`
}

// Drift is two definitions side by side. Both are the server's own text.
type Drift struct {
	Agreed   object       `json:"agreed" doc:"The definition that was agreed to."`
	Now      object       `json:"now" doc:"The definition as last seen."`
	Changes  []DriftPlace `json:"changes" doc:"Where they differ, at most 100 places."`
	AgreedTo string       `json:"agreed_pin" doc:"Digest of the definition agreed to." example:"60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752"`
}

// DriftPlace is one difference.
type DriftPlace struct {
	Path string          `json:"path" doc:"JSON pointer to it." example:"/description"`
	Old  json.RawMessage `json:"old,omitempty" doc:"What was there; left out: nothing."`
	New  json.RawMessage `json:"new,omitempty" doc:"What is there; left out: nothing."`
}

type knownToolsBody struct {
	Success    bool        `json:"success" doc:"Always true." example:"true"`
	Tools      []KnownTool `json:"tools" doc:"In the server's order; those that are gone last."`
	NextCursor *string     `json:"next_cursor" doc:"Always null: the list is whole."`
}

type knownToolsOutput struct{ Body knownToolsBody }

func (h *servers) registerTools(api huma.API) {
	handle(api, endpoint{
		Operation: huma.Operation{
			OperationID: "listServerTools", Method: http.MethodGet, Path: "/mcp/servers/{name}/tools", Tags: []string{"servers"},
			Summary: "List what is known of a server's tools",
			Description: "As the server offered them last, with their state, what counts of their hints, and for a changed one the difference. The server is not " +
				"asked.",
			Errors: []int{http.StatusNotFound},
		},
		access: access{scope: auth.ServersRead}, answers: knownToolsBody{Success: true, Tools: []KnownTool{exampleKnownTool()}},
	}, h.tools)
}

func (h *servers) tools(ctx context.Context, in *serverInput) (*knownToolsOutput, error) {
	_, row, err := h.find(ctx, in.Name, absentServer)
	if err != nil {
		return nil, err
	}
	known, err := h.registry.Inspect(ctx, row)
	if err != nil {
		return nil, err
	}
	out := &knownToolsOutput{Body: knownToolsBody{Success: true, Tools: make([]KnownTool, len(known))}}
	for i, k := range known {
		out.Body.Tools[i] = knownTool(k)
	}
	return out, nil
}

func knownTool(k registry.Known) KnownTool {
	var said struct {
		Title string `json:"title"`
	}
	_ = json.Unmarshal(k.Definition, &said) // without a title it has none
	o := k.Override
	t := KnownTool{
		ServerTool: serverTool(k.Name, k.Definition, string(k.State)), Title: tool.Clean(said.Title, maxToolTitle), Pin: k.Pin, Gone: k.Gone,
		SeenAt: k.SeenAt, Hints: ToolHints(k.Hints), ReviewedBy: k.ReviewedBy, ReviewedAt: k.ReviewedAt,
		Override: Overridden{ToolHints{o.ReadOnly, o.Destructive, o.Idempotent, o.OpenWorld}, !o.Disabled, o.Timeout.Milliseconds()},
	}
	if k.AgreedPin == "" || k.AgreedPin == k.Pin {
		return t
	}
	t.Drift = &Drift{Agreed: object(k.Agreed), Now: object(k.Definition), Changes: []DriftPlace{}, AgreedTo: k.AgreedPin}
	for _, d := range k.Changes {
		t.Drift.Changes = append(t.Drift.Changes, DriftPlace(d))
	}
	return t
}

const maxToolTitle = 200

func exampleKnownTool() KnownTool {
	return KnownTool{
		ServerTool: ServerTool{
			Name: "create_issue", Description: "Creates a new issue in a GitHub repository, and tells everybody", InputSchema: object(exampleIssueSchema),
			State: "quarantined",
		},
		Pin: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", SeenAt: exampleTime, Override: Overridden{Enabled: true},
		Drift: &Drift{
			Agreed: object(`{"name":"create_issue","description":"Creates a new issue in a GitHub repository"}`),
			Now:    object(`{"name":"create_issue","description":"Creates a new issue in a GitHub repository, and tells everybody"}`),
			Changes: []DriftPlace{{
				Path: "/description", Old: json.RawMessage(`"Creates a new issue in a GitHub repository"`),
				New: json.RawMessage(`"Creates a new issue in a GitHub repository, and tells everybody"`),
			}},
			AgreedTo: "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
		},
	}
}
