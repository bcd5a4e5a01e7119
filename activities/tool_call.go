package activities

import (
	"context"
	"fmt"

	"go.temporal.io/sdk/temporal"

	"steward/internal/audit"
	"steward/internal/automation"
	"steward/internal/fault"
	"steward/internal/tool"
)

// CallTool carries out one planned call through the executor. A retry of it never sends an effect twice:
// it finds the claim of the earlier attempt and asks what became of it.
func (r *Run) CallTool(ctx context.Context, in automation.CallInput) (automation.CallResult, error) {
	calling, stop := r.follow(ctx, in)
	defer stop()
	s := stamp(ctx)
	out, err := r.callTool(ctx, in, s, calling)
	if failed := r.end(ctx, err); s.Attempt < maxUpstream || !fault.Is(err, fault.Upstream) {
		return out, failed
	}
	return out, temporal.NewNonRetryableApplicationError(fault.Text(err), fault.CodeOf(err), nil)
}

func (r *Run) callTool(ctx context.Context, in automation.CallInput, s tool.Stamp, calling *calling) (automation.CallResult, error) {
	if err := r.settleIn(ctx, in, s); err != nil {
		return automation.CallResult{}, err
	}
	out, err := r.executor.Execute(ctx, in, s, calling.say)
	if in.Session != 0 {
		out.Queue = r.queue
	}
	if err == nil && out.Park != nil {
		err = r.deferred(ctx, in, s, out.Park)
	}
	return out, err
}

// deferred records that a call was not sent because a person must consent, or look at the tool, first.
func (r *Run) deferred(ctx context.Context, in automation.CallInput, s tool.Stamp, p *automation.Park) error {
	key := fmt.Sprintf("%s/%s/%d", in.ID, s.ActivityID, s.Attempt)
	return r.audit(ctx, r.db.Queries, in.RunID, s, audit.ToolDeferred, key, struct {
		tool.Stamp
		Call   string `json:"call"`
		Step   int    `json:"step"`
		Reason string `json:"reason"`
	}{s, in.ID, in.Step, p.Waiting.Reason})
}

// maxUpstream is how often a server that cannot be reached is tried before the model is told.
const maxUpstream = 4

// SettleCall ends a call without sending it: denied, expired, skipped, checked, or out of attempts.
func (r *Run) SettleCall(ctx context.Context, in automation.CallInput) (automation.CallResult, error) {
	defer heartbeat(ctx)()
	out, err := r.executor.Settle(ctx, in, stamp(ctx))
	return out, r.end(ctx, err)
}
