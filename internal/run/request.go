package run

import (
	"encoding/json"
	"fmt"
	"strings"

	"steward/internal/automation"
	"steward/internal/fault"
	"steward/internal/tool"
)

// Request is what a person asks for.
type Request struct {
	MCPServerID  int64             // 0: not named
	Servers      []string          // names or numeric ids of more servers; no source at all: everything the owner can call
	Connections  []string          // integrations that the owner has connected, and ids of databases
	ToolName     string            // a hint: offered first
	Instructions string            //
	Model        string            // empty: the configured one
	Mode         automation.Mode   // empty: worker
	OutputSchema json.RawMessage   // JSON Schema that the final answer must fit, or nil
	Approval     string            // policy (default), always, never
	Limits       automation.Limits // zero fields: the configured ones
	Metadata     json.RawMessage   // a JSON object, or nil

	IdempotencyKey string // empty: none
	BodyDigest     []byte // SHA-256 of the request, to tell a repeat from another request under the same key
}

// Upper bounds of what a request may ask for.
const (
	maxSteps       = 1000
	maxTokens      = 100_000_000
	maxWallSeconds = 30 * 24 * 3600
	maxMicroUSD    = 1_000_000_000_000 // a million dollars
)

// normalize fills in defaults and checks everything that needs no database.
func (s *Service) normalize(r *Request) error {
	var fields []fault.Field
	complain := func(location, format string, args ...any) {
		fields = append(fields, fault.Field{Location: location, Message: fmt.Sprintf(format, args...)})
	}
	if strings.TrimSpace(r.Instructions) == "" {
		complain("body.instructions", "must not be empty")
	}
	if len(r.Instructions) > s.opts.InstructionsMax {
		complain("body.instructions", "must be at most %d bytes", s.opts.InstructionsMax)
	}
	if strings.ContainsRune(r.Instructions, 0) {
		complain("body.instructions", "must not contain NUL")
	}
	if r.Model == "" {
		r.Model = s.opts.Model
	}
	switch r.Mode {
	case "":
		r.Mode = automation.ModeWorker
	case automation.ModeWorker, automation.ModeProvider:
	default:
		complain("body.mode", "must be worker or provider")
	}
	switch r.Approval {
	case "":
		r.Approval = tool.ApprovePolicy
	case tool.ApprovePolicy, tool.ApproveAlways, tool.ApproveNever:
	default:
		complain("body.approval", "must be policy, always or never")
	}
	limit(&r.Limits.Steps, s.opts.Limits.Steps, maxSteps, "body.limits.steps", complain)
	limit(&r.Limits.Tokens, s.opts.Limits.Tokens, maxTokens, "body.limits.tokens", complain)
	limit(&r.Limits.WallSeconds, s.opts.Limits.WallSeconds, maxWallSeconds, "body.limits.wall_seconds", complain)
	switch cost := &r.Limits.CostMicroUSD; {
	case *cost == 0:
		*cost = s.opts.Limits.CostMicroUSD
	case *cost < 0 || *cost > maxMicroUSD:
		complain("body.limits.cost_usd", "must be more than 0 and at most %d", maxMicroUSD/1_000_000)
	}
	if r.OutputSchema != nil {
		if err := checkOutputSchema(r.OutputSchema); err != nil {
			complain("body.output_schema", "%s", err)
		}
	}
	if len(r.Metadata) == 0 {
		r.Metadata = json.RawMessage("{}")
	}
	if len(fields) > 0 {
		return &fault.Error{Kind: fault.Invalid, Msg: fields[0].Location + ": " + fields[0].Message, Fields: fields}
	}
	return nil
}

func limit[N int | int64](v *N, standard, most N, location string, complain func(string, string, ...any)) {
	switch {
	case *v == 0:
		*v = standard
	case *v < 0 || *v > most:
		complain(location, "must be between 1 and %d", most)
	}
}
