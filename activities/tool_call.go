package activities

import (
	"context"

	"go.temporal.io/sdk/temporal"

	"steward/internal/automation"
	"steward/internal/fault"
)

// CallTool carries out one planned call through the executor. A retry of it never sends an effect twice:
// it finds the claim of the earlier attempt and asks what became of it.
func (r *Run) CallTool(ctx context.Context, in automation.CallInput) (automation.CallResult, error) {
	defer heartbeat(ctx)()
	s := stamp(ctx)
	out, err := r.executor.Execute(ctx, in, s)
	if failed := r.end(ctx, err); s.Attempt < maxUpstream || !fault.Is(err, fault.Upstream) {
		return out, failed
	}
	return out, temporal.NewNonRetryableApplicationError(fault.Text(err), fault.CodeOf(err), nil)
}

// maxUpstream is how often a server that cannot be reached is tried before the model is told.
const maxUpstream = 4

// SettleCall ends a call without sending it: denied, expired, skipped, checked, or out of attempts.
func (r *Run) SettleCall(ctx context.Context, in automation.CallInput) (automation.CallResult, error) {
	defer heartbeat(ctx)()
	out, err := r.executor.Settle(ctx, in, stamp(ctx))
	return out, r.end(ctx, err)
}
