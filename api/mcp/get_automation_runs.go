package mcp

import (
	"context"

	"steward/internal/auth"
)

type runsInput struct {
	Status string `json:"status,omitempty" enum:"pending,success,error" doc:"Only runs of this status."`
	State  string `json:"state,omitempty" enum:"queued,running,waiting_for_approval,waiting_for_auth,waiting_for_budget,waiting_for_model,waiting_for_decision,success,error,cancelled,budget_exceeded" doc:"Only runs in this state."`
	Server int64  `json:"mcp_server_id,omitempty" minimum:"1" doc:"Only runs that may use this MCP server."`
	Before int64  `json:"before,omitempty" minimum:"1" doc:"Only runs with smaller numbers: the last run_id of the page before."`
	Limit  int32  `json:"limit,omitempty" minimum:"1" maximum:"200" doc:"How many runs at most; 20 if not given."`
}

const usualPage = 20

func getAutomationRuns(reader Reader) offer {
	return offering(about{
		name: "get_automation_runs", title: "List automation runs", hints: reads,
		description: "The user's recent runs, newest first: status, exact state, usage, times. get_run_detail tells more of one.",
	}, auth.RunsRead, reader.Shapes().Runs, func(ctx context.Context, c *call, in runsInput) (any, error) {
		if in.Limit == 0 {
			in.Limit = usualPage
		}
		return reader.Runs(ctx, c.caller, Filter(in))
	})
}
