package activities

import (
	"context"
	"sync"
	"time"

	"go.temporal.io/sdk/activity"

	"steward/internal/llm"
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

// progress is what a request to the model is doing. It travels with the heartbeats, so that Temporal's own
// pages show it while the activity runs.
type progress struct {
	mu  sync.Mutex
	now Doing
}

// Doing is the details of a heartbeat.
type Doing struct {
	What  string `json:"what"`                   // the last event of a stream, or the status of a response in the background
	Item  string `json:"item,omitempty"`         // the kind of item that is being written
	Chars int    `json:"output_chars,omitempty"` // of the answer so far
}

// watched beats with the progress of a request to the model.
func watched(ctx context.Context) (p *progress, stop func()) {
	p = &progress{now: Doing{What: "preparing"}}
	return p, beat(ctx, func() []any { return []any{p.doing()} })
}

func (p *progress) doing() Doing {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now
}

func (p *progress) say(what string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now.What = what
}

func (p *progress) stream(s llm.Progress) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now = Doing{What: s.Event, Item: s.Item, Chars: s.OutputChars}
}
