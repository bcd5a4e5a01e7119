package dev

import (
	"net"
	"net/url"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"steward/dev/stack/process"
)

// recorder keeps the state file true while parts are restarted.
type recorder struct {
	ready atomic.Bool
	quit  chan struct{}
	done  sync.WaitGroup
}

const recordEvery = 250 * time.Millisecond

// record writes the state now and from then on whenever it changes, until stop.
func record(s *supervisor) *recorder {
	r := &recorder{quit: make(chan struct{})}
	var last State
	look := func() {
		now := s.state()
		now.Ready = r.ready.Load()
		if now == last {
			return
		}
		last = now
		if err := now.write(s.cfg.Data); err != nil {
			s.Log.Warn("state of the stack not written", "error", err)
		}
	}
	look()
	r.done.Go(func() {
		tick := time.NewTicker(recordEvery)
		defer tick.Stop()
		for {
			select {
			case <-r.quit:
				return
			case <-tick.C:
				look()
			}
		}
	})
	return r
}

func (r *recorder) stop() {
	close(r.quit)
	r.done.Wait()
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
