package activities

import (
	"context"
	"encoding/json"
	"time"

	"steward/internal/automation"
	"steward/internal/store"
)

const (
	publishEvery = time.Second // PostgreSQL lets one transaction with a NOTIFY commit at a time
	publishTime  = time.Second
)

// publish tells whoever follows the run how its request gets on.
func (r *Run) publish(ctx context.Context, a *attempt) (stop func()) {
	return r.publishing(ctx, a.in.RunID, func() (automation.Progress, bool) { return a.doing.shown(a.in.Step) })
}

// publishing tells whoever follows the run what is new, until stop. Nothing waits for it or fails with it, neither the
// turn, nor the call, nor the heartbeats.
func (r *Run) publishing(ctx context.Context, runID int64, shown func() (automation.Progress, bool)) (stop func()) {
	ctx, stop = context.WithCancel(ctx)
	go func() {
		t := time.NewTicker(publishEvery)
		defer t.Stop()
		var last automation.Progress
		for {
			select {
			case <-ctx.Done():
				return
			case <-t.C:
				if now, ok := shown(); ok && now != last && r.tell(ctx, runID, now) {
					last = now
				}
			}
		}
	}()
	return stop
}

// tell reports whether anybody follows the run; if not, nothing was sent.
func (r *Run) tell(ctx context.Context, runID int64, now automation.Progress) bool {
	ctx, cancel := context.WithTimeout(ctx, publishTime)
	defer cancel()
	doc, err := json.Marshal(now)
	if err != nil {
		return false
	}
	chain := automation.AuditChain(runID)
	n, err := r.db.TellProgress(ctx, store.TellProgressParams{Chain: chain, Payload: chain + " " + string(doc)})
	if err != nil {
		r.log.DebugContext(ctx, "progress not told", "run", runID, "error", err)
	}
	return n > 0
}
