package activities

import (
	"context"
	"time"

	"go.temporal.io/sdk/activity"
)

// heartbeat tells Temporal every second that the attempt lives; a cancel comes back on the answer. The
// SDK throttles by worker.Options.MaxHeartbeatThrottleInterval.
func heartbeat(ctx context.Context) (stop func()) {
	return beat(ctx, func() []any { return nil })
}

func beat(ctx context.Context, details func() []any) (stop func()) {
	done := make(chan struct{})
	go func() {
		t := time.NewTicker(time.Second)
		defer t.Stop()
		for {
			select {
			case <-done:
				return
			case <-ctx.Done():
				return
			case <-t.C:
				activity.RecordHeartbeat(ctx, details()...)
			}
		}
	}()
	return func() { close(done) }
}
