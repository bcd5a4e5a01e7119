package app

import (
	"context"
	"log/slog"

	"steward/internal/launch/process"
)

// examineChildren says once in the log how far MCP servers that run as our children are confined here. They are
// started all the same: an admin has registered them.
func examineChildren(ctx context.Context, log *slog.Logger) {
	missing, err := process.Examine(ctx)
	if err != nil {
		log.WarnContext(ctx, "MCP servers cannot be started as our children", "error", err)
		return
	}
	if len(missing) > 0 {
		log.WarnContext(ctx, "MCP servers that run as our children are not confined in every way", "missing", missing)
	}
}
