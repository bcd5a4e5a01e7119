package dev

import (
	"net"
	"net/url"
	"os"
	"sync"
	"time"

	"steward/dev/stack/process"
)

// recorder keeps the state file true while parts are restarted.
type recorder struct {
	s    *supervisor
	quit chan struct{}
	done sync.WaitGroup

	mu   sync.Mutex
	last State
}

const recordEvery = 250 * time.Millisecond

func newRecorder(s *supervisor) *recorder {
	r := &recorder{s: s, quit: make(chan struct{})}
	return r
}

// follow writes the state now and from then on whenever it changes.
func (r *recorder) follow() {
	r.record()
	r.done.Go(func() {
		tick := time.NewTicker(recordEvery)
		defer tick.Stop()
		for {
			select {
			case <-r.quit:
				return
			case <-tick.C:
				r.record()
			}
		}
	})
}

func (r *recorder) stop() {
	close(r.quit)
	r.done.Wait()
}

func (r *recorder) ready() {
	r.mu.Lock()
	r.last.Ready = true
	r.mu.Unlock()
	r.follow()
}

func (r *recorder) record() {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.s.state()
	now.Ready = r.last.Ready
	if now == r.last && !r.last.Ready {
		return
	}
	r.last = now
	if err := now.write(r.s.cfg.Data); err != nil {
		r.s.Log.Warn("state of the stack not written", "error", err)
	}
}

// state is what runs now.
func (s *supervisor) state() State {
	out := State{
		PID: os.Getpid(), Started: s.began,
		API:      Part{PID: pid(s.api), Address: s.places.publicURL, Debug: s.places.apiDebug, Log: s.logFile("api")},
		Worker:   Part{PID: pid(s.worker), Debug: s.places.workerDebug, Log: s.logFile("worker")},
		Temporal: Part{Address: s.stack.TemporalAddress},
		UI:       Part{Address: s.places.uiURL},
	}
	if s.model != nil {
		out.Model = Part{PID: pid(s.model), Address: s.places.model, Log: s.logFile("model")}
	}
	if s.stack.Temporal != nil {
		out.Temporal.PID, out.Temporal.Log = pid(s.stack.Temporal), s.logFile("temporal")
	}
	if u, err := url.Parse(s.stack.DatabaseURL.Reveal()); err == nil {
		out.Postgres.Address = net.JoinHostPort(u.Hostname(), u.Port())
	}
	if s.stack.Postgres != nil {
		out.Postgres.PID, out.Postgres.Log = pid(s.stack.Postgres.Process), s.logFile("postgres")
	}
	return out
}

func pid(p *process.Process) int {
	if p == nil {
		return 0
	}
	return p.PID()
}
