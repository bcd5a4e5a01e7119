package connector

import (
	"context"
	"time"

	"steward/internal/automation"
)

// Late says how long a request may still take effect that its sender has given up: at most receivers it cannot be called
// back. Before that is over, nobody may say that what is not there will not come.
type Late struct {
	Gone  time.Time     // from then on it can take effect no more
	Again time.Duration // how long to wait before looking again; 0: it is looked once, where asking is dear
}

// Look looks for what a request has done. That look finds nothing, which it says by OutcomeFailed, is believed when the
// request can take effect no more; while it can, and the context allows, it is looked again. Else it is OutcomeUnknown.
func Look[Out any](
	ctx context.Context, l Late, look func(context.Context) (automation.Outcome, Out, error),
) (outcome automation.Outcome, out Out, err error) {
	for looked := false; ; looked = true {
		gone := !time.Now().Before(l.Gone) // before looking: what arrives meanwhile is found, or was never on its way
		outcome, out, err = look(ctx)
		switch {
		case err != nil && looked && ctx.Err() != nil:
			return automation.OutcomeUnknown, out, nil //nolint:nilerr // it was not there when it was last looked
		case err != nil || outcome != automation.OutcomeFailed || gone:
			return outcome, out, err
		case l.Again == 0:
			return automation.OutcomeUnknown, out, nil
		}
		select {
		case <-ctx.Done():
			return automation.OutcomeUnknown, out, nil
		case <-time.After(l.Again):
		}
	}
}
