package mcp

import (
	"context"

	"steward/internal/auth"
)

func getWorkflowHistory(reader Reader) offer {
	return offering(about{
		name: "get_workflow_history", title: "Read a run's history", hints: reads,
		description: "What happened in a run, step by step in plain words, with times and outcomes: from the audit log.",
	}, auth.RunsRead, reader.Shapes().History, func(ctx context.Context, c *call, in oneRun) (any, error) {
		return reader.History(ctx, c.caller, in.RunID)
	})
}
