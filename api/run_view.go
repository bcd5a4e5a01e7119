package api

import "time"

// Run is a run as its owner sees it.
type Run struct {
	RunSummary

	Input        RunInput      `json:"input" doc:"What was asked for."`
	Output       *RunOutput    `json:"output,omitempty" doc:"The model's final answer; absent until there is one."`
	Waiting      *Waiting      `json:"waiting,omitempty" doc:"What the run waits for when it waits for no call: a consent, a budget, the model."`
	ToolCalls    []ToolCall    `json:"tool_calls" doc:"Every use of a tool, in the order in which the model planned them."`
	Cancellation *Cancellation `json:"cancellation,omitempty" doc:"Present once somebody asked to cancel the run."`
}

// RunSummary is a run in a list.
type RunSummary struct {
	RunID      int64      `json:"run_id" doc:"The run's number." example:"1"`
	UserID     string     `json:"user_id" doc:"Whose run it is." example:"alice"`
	Status     string     `json:"status" enum:"pending,success,error" doc:"pending as long as the run can still go on." example:"success"`
	State      string     `json:"state" enum:"queued,running,waiting_for_approval,waiting_for_auth,waiting_for_budget,waiting_for_model,waiting_for_decision,success,error,cancelled,budget_exceeded" doc:"Exactly where the run stands." example:"success"`
	ToolName   string     `json:"tool_name" doc:"The tool that was hinted at." example:"search_emails"`
	Model      string     `json:"model" doc:"The model that plans the run; empty until one is chosen." example:"offline-rules"`
	Provider   string     `json:"provider" doc:"Who runs the model." example:"offline"`
	Usage      Usage      `json:"usage" doc:"What the model has consumed so far."`
	Error      *RunError  `json:"error,omitempty" doc:"Why the run ended without success."`
	CreatedAt  time.Time  `json:"created_at" doc:"When the run was accepted." example:"2026-11-20T09:30:00Z"`
	StartedAt  *time.Time `json:"started_at" doc:"When a worker took it up." example:"2026-11-20T09:30:00.2Z"`
	FinishedAt *time.Time `json:"finished_at" doc:"When it ended." example:"2026-11-20T09:30:04Z"`
	Links      RunLinks   `json:"links" doc:"Where to go from here."`
}

// RunInput repeats the request that started a run, defaults filled in.
type RunInput struct {
	MCPServerID  *int64         `json:"mcp_server_id" doc:"The MCP server that was named first." example:"1"`
	Servers      []int64        `json:"servers" doc:"Every MCP server whose tools the run may use."`
	Connections  []string       `json:"connections" doc:"Every connection whose tools the run may use."`
	ToolName     string         `json:"tool_name" doc:"The tool that was hinted at." example:"search_emails"`
	Instructions string         `json:"instructions" doc:"What should happen." example:"Find all emails from last week about invoices and summarise them"`
	Model        string         `json:"model" doc:"The model that plans the run." example:"offline-rules"`
	Mode         string         `json:"mode" enum:"worker,provider" doc:"Who calls the tools." example:"worker"`
	Approval     string         `json:"approval" enum:"policy,always,never" doc:"When a person is asked." example:"policy"`
	Limits       RunLimits      `json:"limits" doc:"Bounds that end the run when they are reached."`
	OutputSchema object         `json:"output_schema,omitempty" doc:"What the final answer must fit."`
	Metadata     map[string]any `json:"metadata" doc:"The caller's own notes."`
}

// RunLimits bound a run.
type RunLimits struct {
	Steps       int      `json:"steps" doc:"Rounds of planning and acting." example:"25"`
	Tokens      int64    `json:"tokens" doc:"Model tokens over the whole run." example:"200000"`
	CostUSD     *float64 `json:"cost_usd" doc:"What the model may cost over the whole run, in US dollars; null without such a limit." example:"0.5"`
	WallSeconds int64    `json:"wall_seconds" doc:"Seconds of work; waiting for a person does not count." example:"3600"`
}

// RunOutput is the model's final answer.
type RunOutput struct {
	Text    string `json:"text" doc:"The answer." example:"Three invoices arrived last week, in total EUR 1,240.00."`
	Data    object `json:"data,omitempty" doc:"The answer as data that fits output_schema, if the run has one."`
	Refusal string `json:"refusal,omitempty" doc:"What the model said instead when it refused."`
	Partial bool   `json:"partial,omitempty" doc:"The run ended before the model was done; this is what it had said by then."`
}

// RunError says why a run ended without success.
type RunError struct {
	Code    string `json:"code" doc:"Stable, for programs: cancelled, budget_exceeded, model_refused and others." example:"budget_exceeded"`
	Message string `json:"message" doc:"For a person." example:"the run used up its 25 steps"`
}

// Usage is what the model consumed.
type Usage struct {
	InputTokens     int64    `json:"input_tokens" doc:"Tokens read." example:"1830"`
	CachedTokens    int64    `json:"cached_tokens" doc:"Of those, read from the provider's cache." example:"0"`
	OutputTokens    int64    `json:"output_tokens" doc:"Tokens written." example:"96"`
	ReasoningTokens int64    `json:"reasoning_tokens" doc:"Of those, spent on reasoning." example:"0"`
	TotalTokens     int64    `json:"total_tokens" doc:"Read and written." example:"1926"`
	CostUSD         *float64 `json:"cost_usd" doc:"In US dollars; null when the model's price is not known." example:"0.0042"`
	Estimated       bool     `json:"estimated" doc:"Some numbers are counted by us because the provider reported none." example:"false"`
}

// RunLinks leads on from a run.
type RunLinks struct {
	Self       string `json:"self" doc:"This run." example:"/automation/run/1"`
	Events     string `json:"events" doc:"Its events, live." example:"/automation/run/1/events"`
	History    string `json:"history" doc:"Its history in readable steps." example:"/automation/run/1/history"`
	TemporalUI string `json:"temporal_ui,omitempty" doc:"Its workflow in the Temporal Web UI." example:"http://127.0.0.1:8233/namespaces/default/workflows/run%2F019aa4f0"`
}
