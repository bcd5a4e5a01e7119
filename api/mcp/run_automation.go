package mcp

import (
	"context"
	"crypto/sha256"
	"encoding/json"

	"steward/internal/auth"
	"steward/internal/automation"
	"steward/internal/fault"
	"steward/internal/run"
)

const nameRunAutomation = "run_automation"

type runInput struct {
	Instructions   string   `json:"instructions" minLength:"1" maxLength:"65536" doc:"What should happen, in plain words."`
	MCPServerID    int64    `json:"mcp_server_id,omitempty" minimum:"1" doc:"The MCP server whose tools come first."`
	Servers        []string `json:"servers,omitempty" nullable:"false" maxItems:"32" minLength:"1" maxLength:"128" doc:"More MCP servers, by name or number. If no server and no connection is named, all may be used."`
	Connections    []string `json:"connections,omitempty" nullable:"false" maxItems:"32" minLength:"1" maxLength:"128" doc:"What the user has connected, such as gmail, or the db_id of a database."`
	ToolName       string   `json:"tool_name,omitempty" maxLength:"128" doc:"A tool to try first; a hint, not a limit."`
	Approval       string   `json:"approval,omitempty" enum:"policy,always" doc:"When the user is asked: by each tool's policy, or before every call."`
	OutputSchema   object   `json:"output_schema,omitempty" doc:"A JSON Schema of an object that the final answer must fit."`
	MaxSteps       int      `json:"max_steps,omitempty" minimum:"1" maximum:"1000" doc:"Rounds of planning and acting at most."`
	IdempotencyKey string   `json:"idempotency_key,omitempty" maxLength:"255" pattern:"^[\\x21-\\x7e]*$" patternDescription:"visible ASCII" doc:"For 24 hours the same key with the same arguments is the same run: name one to be able to ask again safely."`
}

type runStarted struct {
	RunID  int64  `json:"run_id" doc:"The run's number: get_run_detail, cancel_run and decide_call take it." example:"1"`
	Status string `json:"status" enum:"pending,success,error" doc:"pending." example:"pending"`
	Next   string `json:"next" doc:"What to do now."`
}

func runAutomation(runs *run.Service) offer {
	return offering(about{
		name: nameRunAutomation, title: "Run an automation", hints: changes,
		description: "Starts a run: a language model does what the instructions say with the user's tools, durably, and asks the user where a decision is needed. " +
			"Answers at once; the run goes on by itself. Follow it with get_run_detail.",
	}, auth.RunsExecute, SchemaOf[runStarted](), func(ctx context.Context, c *call, in runInput) (any, error) {
		started, err := start(ctx, runs, c.caller, in)
		if err != nil {
			return nil, err
		}
		return runStarted{RunID: started.RunID, Status: automation.Queued.Status(), Next: "call get_run_detail until status is no longer pending"}, nil
	})
}

// start accepts the run: it is in the database when this returns.
func start(ctx context.Context, runs *run.Service, p auth.Principal, in runInput) (run.Started, error) {
	digest, err := json.Marshal(in)
	if err != nil {
		return run.Started{}, fault.New(fault.Invalid, "the arguments cannot be read")
	}
	sum := sha256.Sum256(digest)
	return runs.Start(ctx, p, run.Request{
		MCPServerID: in.MCPServerID, Servers: in.Servers, Connections: in.Connections, ToolName: in.ToolName, Instructions: in.Instructions,
		Approval: in.Approval, Limits: automation.Limits{Steps: in.MaxSteps}, IdempotencyKey: in.IdempotencyKey, BodyDigest: sum[:],
		OutputSchema: json.RawMessage(in.OutputSchema),
	})
}
