package mcp

import (
	"context"

	"steward/internal/auth"
	"steward/internal/run"
)

func cancelRun(runs *run.Service, reader Reader) offer {
	return offering(about{
		name: "cancel_run", title: "Cancel a run", hints: concludes,
		description: "Cancels a run. What was not sent is never sent; cancellation.effects says of every call that could change something whether it did: " +
			"done, not_done, or unknown.",
	}, auth.RunsExecute, reader.Shapes().Run, func(ctx context.Context, c *call, in oneRun) (any, error) {
		if _, err := runs.Cancel(ctx, c.caller, in.RunID); err != nil {
			return nil, err
		}
		return reader.Run(ctx, c.caller, in.RunID)
	})
}
