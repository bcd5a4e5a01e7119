package mcp

import (
	"context"

	"steward/internal/auth"
)

type oneRun struct {
	RunID int64 `json:"run_id" minimum:"1" doc:"The run's number."`
}

func getRunDetail(reader Reader) offer {
	return offering(about{
		name: "get_run_detail", title: "Read an automation run", hints: reads,
		description: "One run: what was asked, the answer once there is one, every tool call with its outcome, and what the run waits for. " +
			"status is pending as long as the run can go on. A question to the user stands under tool_calls[].decision.",
	}, auth.RunsRead, reader.Shapes().Run, func(ctx context.Context, c *call, in oneRun) (any, error) {
		return reader.Run(ctx, c.caller, in.RunID)
	})
}
