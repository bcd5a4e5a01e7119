package tool

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"steward/internal/audit"
	"steward/internal/fault"
	"steward/internal/store"
)

const (
	recordDelay = 20 * time.Millisecond // how long an event waits for others
	recordBatch = 200
	recordRoom  = 4096 // calls under way and events not yet written
	recordWait  = 2 * time.Second
	recordPause = 250 * time.Millisecond // between attempts while PostgreSQL is away
)

// recorder writes audit events that nobody waits for, many in one transaction: one commit each would be all that a
// disk can do. Nothing is dropped: who finds no room waits, and is refused in the end.
type recorder struct {
	db   *store.DB
	log  *slog.Logger
	room chan struct{}   // holds one for each event reserved or waiting
	life context.Context // ends when nobody waits for the events any more
	end  context.CancelFunc

	mu      sync.Mutex
	waiting []func() audit.Event
	running bool
	enough  chan struct{} // a batch is full, or nobody wants to wait
	idle    chan struct{} // closed when nothing is left to write
}

func newRecorder(db *store.DB, log *slog.Logger) *recorder {
	life, end := context.WithCancel(context.Background())
	return &recorder{db: db, log: log, room: make(chan struct{}, recordRoom), life: life, end: end, enough: make(chan struct{}, 1)}
}

// reserve makes room for one event; put must follow. The error is Unavailable: what cannot be recorded is not done.
func (r *recorder) reserve(ctx context.Context) error {
	select {
	case r.room <- struct{}{}:
		return nil
	default:
	}
	patience := time.NewTimer(recordWait)
	defer patience.Stop()
	select {
	case r.room <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-patience.C:
		return fault.New(fault.Unavailable, "calls cannot be recorded now, so none is made; nothing was done").
			WithCode(CodeAuditFull).WithRetryAfter(recordWait)
	}
}

// put hands over the event for which room was made. It never waits.
func (r *recorder) put(event func() audit.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.waiting = append(r.waiting, event)
	if !r.running {
		r.running, r.idle = true, make(chan struct{})
		go r.run(r.idle)
	}
	if len(r.waiting) >= recordBatch {
		r.hurry()
	}
}

func (r *recorder) hurry() {
	select {
	case r.enough <- struct{}{}:
	default:
	}
}

// run writes until nothing is left.
func (r *recorder) run(idle chan struct{}) {
	defer close(idle)
	delay := time.NewTimer(recordDelay)
	defer delay.Stop()
	for {
		select {
		case <-delay.C:
		case <-r.enough:
		}
		batch := r.next()
		if batch == nil {
			return
		}
		r.write(batch)
		for range batch {
			<-r.room
		}
		delay.Reset(recordDelay)
	}
}

// next takes a batch; nil ends the run.
func (r *recorder) next() []func() audit.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.waiting) == 0 {
		r.running = false
		return nil
	}
	n := min(len(r.waiting), recordBatch)
	batch := slices.Clone(r.waiting[:n])
	if r.waiting = r.waiting[n:]; len(r.waiting) == 0 {
		r.waiting = nil
	} else if len(r.waiting) >= recordBatch {
		r.hurry()
	}
	return batch
}

// write does not return before the batch is written, cannot ever be, or nobody waits for it any more.
func (r *recorder) write(batch []func() audit.Event) {
	events := make([]audit.Event, len(batch))
	for i, event := range batch {
		events[i] = event()
	}
	// Two processes that write to the same chains must lock them in the same order.
	slices.SortStableFunc(events, func(a, b audit.Event) int { return strings.Compare(a.Chain, b.Chain) })
	for {
		err := r.append(events)
		switch {
		case err == nil:
			return
		case r.life.Err() != nil:
			r.log.Error("audit events of reading calls not written: the process ends", "events", len(events), "error", err)
			return
		case store.IsUnavailable(err):
			r.log.Warn("audit events of reading calls wait for PostgreSQL", "events", len(events), "error", err)
			r.pause()
		case len(events) > 1: // one of them cannot be written; the others can
			for _, e := range events {
				if err := r.append([]audit.Event{e}); err != nil {
					r.log.Error("audit event of a reading call not written", "chain", e.Chain, "key", e.Key, "error", err)
				}
			}
			return
		default:
			r.log.Error("audit event of a reading call not written", "chain", events[0].Chain, "key", events[0].Key, "error", err)
			return
		}
	}
}

// pause waits before the next attempt.
func (r *recorder) pause() {
	t := time.NewTimer(recordPause)
	defer t.Stop()
	select {
	case <-t.C:
	case <-r.life.Done():
	}
}

func (r *recorder) append(events []audit.Event) error {
	ctx, cancel := context.WithTimeout(r.life, settleTime)
	defer cancel()
	err := r.db.Tx(ctx, func(q *store.Queries) error {
		for _, e := range events {
			if err := audit.Put(ctx, q, e); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("record reading calls: %w", err)
	}
	return nil
}

// close waits until everything is written. When ctx ends first, what is left is given up, and the log says so.
func (r *recorder) close(ctx context.Context) error {
	r.mu.Lock()
	idle, running := r.idle, r.running
	r.mu.Unlock()
	if !running {
		return nil
	}
	r.hurry()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		r.end()
		<-idle
		return errors.Join(fault.New(fault.Unavailable, "audit events of reading calls are not written"), ctx.Err())
	}
}
