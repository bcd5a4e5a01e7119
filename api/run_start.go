package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"steward/internal/auth"
	"steward/internal/automation"
	"steward/internal/fault"
	"steward/internal/run"
)

// startBody is the seed's request and what we add to it. Limits of content are those of CONTRACT
// "Limits"; control characters are refused where the database could not store them.
type startBody struct {
	MCPServerID  int64                      `json:"mcp_server_id,omitempty" minimum:"1" doc:"The MCP server whose tools come first." example:"1"`
	Servers      []string                   `json:"servers,omitempty" maxItems:"32" minLength:"1" maxLength:"128" pattern:"^[^\\x00-\\x1f\\x7f]*$" patternDescription:"text without control characters" doc:"More MCP servers, by name or number." example:"[\"calendar\"]"`
	ToolName     string                     `json:"tool_name,omitempty" maxLength:"128" pattern:"^[^\\x00-\\x1f\\x7f]*$" patternDescription:"text without control characters" doc:"A tool to try first; a hint, not a limit." example:"search_emails"`
	Instructions string                     `json:"instructions" minLength:"1" maxLength:"65536" doc:"What should happen, at most 64 KiB." example:"Find all emails from last week about invoices and summarise them"`
	Model        string                     `json:"model,omitempty" maxLength:"128" pattern:"^[\\x21-\\x7e]*$" patternDescription:"visible ASCII without spaces" doc:"The model that plans the run; default the server's." example:"offline-rules"`
	Mode         string                     `json:"mode,omitempty" enum:"worker,provider" default:"worker" doc:"Who calls the tools: our worker, or the provider of the model, which reaches remote MCP servers alone and whose reports we cannot verify." example:"worker"`
	Connections  []string                   `json:"connections,omitempty" maxItems:"32" minLength:"1" maxLength:"128" pattern:"^[^\\x00-\\x1f\\x7f]*$" patternDescription:"text without control characters" doc:"What the user has connected: integrations by the names of GET /api/integrations, databases by the db_id of GET /api/databases. A run that names neither server nor connection may use all." example:"[\"gmail\"]"`
	OutputSchema object                     `json:"output_schema,omitempty" doc:"A JSON Schema (2020-12) of an object that the final answer must fit, at most 64 KiB and 64 levels; references lead nowhere outside. The answer is then in output.data."`
	Approval     string                     `json:"approval,omitempty" enum:"policy,always,never" default:"policy" doc:"When a person is asked: by each tool's policy, before every call, or never." example:"policy"`
	Limits       *startLimits               `json:"limits,omitempty" doc:"Bounds that end the run when they are reached; defaults for those not given."`
	Metadata     map[string]json.RawMessage `json:"metadata,omitempty" maxProperties:"16" doc:"The caller's own notes, at most 8 KiB."`
	UserID       string                     `json:"user_id,omitempty" maxLength:"255" doc:"For callers with an API key: whose run it is." example:"alice"`
	Username     string                     `json:"username,omitempty" maxLength:"255" doc:"The same as user_id." example:"alice"`
}

type startLimits struct {
	Steps       int     `json:"steps,omitempty" minimum:"1" maximum:"1000" doc:"Rounds of planning and acting." example:"25"`
	Tokens      int64   `json:"tokens,omitempty" minimum:"1" maximum:"100000000" doc:"Model tokens over the whole run." example:"200000"`
	CostUSD     dollars `json:"cost_usd,omitempty" doc:"What the model may cost over the whole run, in US dollars with at most 6 places; set aside before each request." example:"0.5"`
	WallSeconds int64   `json:"wall_seconds,omitempty" minimum:"1" maximum:"2592000" doc:"Seconds of work; waiting for a person does not count." example:"3600"`
}

type startInput struct {
	Caller

	IdempotencyKey string `header:"Idempotency-Key" maxLength:"257" doc:"Any visible ASCII, at most 255 bytes. For 24 hours the same key with the same body returns the same run; with another body it is refused." example:"9f1c2d3e-invoices"`
	Body           startBody
}

type startOutput struct {
	Location string `header:"Location" doc:"Where to read the run." example:"/automation/run/1"`
	Replayed string `header:"Idempotency-Replayed" doc:"true when the key was known and the run was started before." example:"true"`
	Body     startedBody
}

type startedBody struct {
	RunID  int64  `json:"run_id" doc:"The run's number." example:"1"`
	Status string `json:"status" enum:"pending,success,error" doc:"pending; a replayed answer is the first one's." example:"pending"`
}

func (h *runs) registerStart(api huma.API) {
	handle(api, endpoint{
		Operation: huma.Operation{
			OperationID: "startRun", Method: http.MethodPost, Path: "/automation/run", Tags: []string{"runs"},
			Summary: "Start a run",
			Description: "Accepts the run and answers at once: it is in the database before the answer, also while Temporal is down, and nothing that " +
				"was accepted is lost. Follow it at `Location` or at its events. While too many accepted runs wait to be started, new ones get 503 with " +
				"code `queue_full`.",
			DefaultStatus: http.StatusAccepted,
			Errors:        []int{http.StatusConflict},
		},
		access: access{scope: auth.RunsExecute, creates: true}, asks: exampleStart(), answers: startedBody{RunID: 1, Status: "pending"},
	}, h.start)
}

func (h *runs) start(ctx context.Context, in *startInput) (*startOutput, error) {
	p, err := principalNamed(ctx, in.Body.UserID, in.Body.Username)
	if err != nil {
		return nil, err
	}
	request, err := in.request()
	if err != nil {
		return nil, err
	}
	started, err := h.service.Start(ctx, p, request)
	if err != nil {
		return nil, err
	}
	out := &startOutput{Replayed: replayed(started.Replayed), Location: runPath(started.RunID), Body: startedBody{RunID: started.RunID, Status: automation.Queued.Status()}}
	return out, nil
}

func (in *startInput) request() (run.Request, error) {
	key, err := idempotencyKey(in.IdempotencyKey)
	if err != nil {
		return run.Request{}, err
	}
	digest, err := bodyDigest(in.Body)
	if err != nil {
		return run.Request{}, err
	}
	metadata, err := in.Body.metadata()
	if err != nil {
		return run.Request{}, err
	}
	r := run.Request{
		MCPServerID: in.Body.MCPServerID, Servers: in.Body.Servers, Connections: in.Body.Connections, ToolName: in.Body.ToolName,
		Instructions: in.Body.Instructions, Model: in.Body.Model, Mode: automation.Mode(in.Body.Mode), OutputSchema: json.RawMessage(in.Body.OutputSchema),
		Approval: in.Body.Approval, Metadata: metadata, IdempotencyKey: key, BodyDigest: digest,
	}
	r.Limits, err = in.Body.Limits.limits()
	return r, err
}

func (l *startLimits) limits() (automation.Limits, error) {
	if l == nil {
		return automation.Limits{}, nil
	}
	out := automation.Limits{Steps: l.Steps, Tokens: l.Tokens, WallSeconds: l.WallSeconds}
	if l.CostUSD == "" {
		return out, nil
	}
	var err error
	out.CostMicroUSD, err = l.CostUSD.micros()
	return out, err
}

const maxMetadata = 8 << 10

// metadata is the caller's object as JSON, nil if there is none. PostgreSQL's jsonb cannot hold U+0000.
func (b *startBody) metadata() (json.RawMessage, error) {
	if len(b.Metadata) == 0 {
		return nil, nil
	}
	raw, err := json.Marshal(b.Metadata)
	if err != nil {
		return nil, fmt.Errorf("encode metadata: %w", err)
	}
	if len(raw) > maxMetadata {
		return nil, fault.InvalidField("body.metadata", "longer than %d bytes", maxMetadata)
	}
	var value any
	if err := json.Unmarshal(raw, &value); err != nil {
		return nil, fmt.Errorf("decode metadata: %w", err)
	}
	if holdsNUL(value) {
		return nil, fault.InvalidField("body.metadata", "the character U+0000 cannot be stored")
	}
	return raw, nil
}

func holdsNUL(value any) bool {
	switch v := value.(type) {
	case string:
		return strings.ContainsRune(v, 0)
	case []any:
		for _, item := range v {
			if holdsNUL(item) {
				return true
			}
		}
	case map[string]any:
		for name, item := range v {
			if holdsNUL(name) || holdsNUL(item) {
				return true
			}
		}
	}
	return false
}
