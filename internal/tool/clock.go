package tool

import (
	"context"
	"errors"
	"sync"
	"time"
)

// errOverdue is why a call whose time is up was ended. It is a context.DeadlineExceeded.
var errOverdue = errors.Join(errors.New("the call's time is up"), context.DeadlineExceeded)

// clock ends a call when its time is up. It stands still while a person is asked in the middle of it.
type clock struct {
	end context.CancelCauseFunc

	mu      sync.Mutex
	left    time.Duration
	stopped int
	since   time.Time
	timer   *time.Timer
}

// timed returns a context that ends after so much time on the clock; cancel must be called.
func timed(ctx context.Context, most time.Duration) (context.Context, *clock, context.CancelFunc) {
	ctx, end := context.WithCancelCause(ctx)
	k := &clock{end: end, left: most, stopped: 1}
	k.start()
	return ctx, k, func() {
		k.stop()
		end(nil)
	}
}

func (k *clock) start() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.stopped--; k.stopped > 0 {
		return
	}
	k.since = time.Now()
	k.timer = time.AfterFunc(k.left, func() { k.end(errOverdue) })
}

func (k *clock) stop() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.stopped++; k.stopped > 1 {
		return
	}
	k.timer.Stop()
	k.left -= time.Since(k.since)
}
