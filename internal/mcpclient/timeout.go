package mcpclient

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// stopwatch ends a request when its time is up. Unlike a deadline it can stand still.
type stopwatch struct {
	mu     sync.Mutex
	left   time.Duration
	since  time.Time // when it was last set going
	pauses int
	done   bool
	timer  *time.Timer
}

type stopwatchKey struct{}

// withStopwatch returns a context that is cancelled after d, with context.DeadlineExceeded as its cause.
func withStopwatch(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	s := &stopwatch{left: d, since: time.Now()}
	s.timer = time.AfterFunc(d, func() { cancel(context.DeadlineExceeded) })
	return context.WithValue(ctx, stopwatchKey{}, s), func() {
		s.mu.Lock()
		s.done = true
		s.mu.Unlock()
		s.timer.Stop()
		cancel(nil)
	}
}

// pause stops the time of the request that ctx belongs to until resume is called, which must happen. Pauses may
// overlap.
func pause(ctx context.Context) (resume func()) {
	s, _ := ctx.Value(stopwatchKey{}).(*stopwatch)
	if s == nil {
		return func() {}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pauses++; s.pauses == 1 {
		s.timer.Stop()
		s.left -= time.Since(s.since)
	}
	return s.resume
}

func (s *stopwatch) resume() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pauses--; s.pauses == 0 && !s.done {
		s.since = time.Now()
		s.timer.Reset(max(s.left, 0))
	}
}

// timedOut calls what a deadline did by its name: below it looks like the caller's own cancellation, or like an error of
// the server, which was told of it and answered. A caller who kept the request back has said why.
func (e *Error) timedOut(ctx context.Context) {
	switch {
	case errors.Is(e.Err, ErrKeptBack), errors.Is(e.Err, context.DeadlineExceeded), !errors.Is(context.Cause(ctx), context.DeadlineExceeded):
	case errors.Is(e.Err, context.Canceled):
		e.Err = context.DeadlineExceeded
	default:
		e.Err = fmt.Errorf("%w: %w", context.DeadlineExceeded, e.Err)
	}
}
