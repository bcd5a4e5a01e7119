package activities

import (
	"context"

	"steward/internal/automation"
)

// CallTool carries out one planned call through the executor. A retry of it never sends an effect twice:
// it finds the claim of the earlier attempt and asks what became of it.
func (r *Run) CallTool(ctx context.Context, in automation.CallInput) (automation.CallResult, error) {
	defer heartbeat(ctx)()
	out, err := r.executor.Execute(ctx, in, stamp(ctx))
	return out, r.end(ctx, err)
}

// SettleCall ends a call without sending it: denied, expired, skipped, checked, or out of attempts.
func (r *Run) SettleCall(ctx context.Context, in automation.CallInput) (automation.CallResult, error) {
	defer heartbeat(ctx)()
	out, err := r.executor.Settle(ctx, in, stamp(ctx))
	return out, r.end(ctx, err)
}
