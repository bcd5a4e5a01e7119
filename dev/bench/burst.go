package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"steward/internal/app"
)

const (
	burstRate   = 200 // a second, of requests and of INSERTs
	burstLength = 4 * time.Second
	burstUsers  = 20
	burstWarm   = 40
)

// benchBurst measures how long accepting a run takes while runs come faster than they can be carried out:
// HTTP over loopback through the whole handler chain, beside bare INSERTs at the same rate from the same
// process. The worker and Temporal work on what was accepted meanwhile.
func benchBurst(ctx context.Context, s *site, r *report) error {
	var idle sample
	for range burstWarm {
		if err := idle.timed(func() error { return s.insertBare(ctx) }); err != nil {
			return err
		}
	}
	stop := s.serveAPI(ctx)
	c, err := newCaller(ctx, s)
	if err == nil {
		var line latency
		line, err = burst(ctx, s, c)
		if err == nil {
			err = r.latencies(fmt.Sprintf("202 of POST /automation/run at %d/s with worker and Temporal at work / INSERT at the same rate beside it", burstRate),
				line, latency{"the same / INSERT on the idle machine", line.ours, idle})
		}
	}
	return errors.Join(err, stop())
}

// burst sends a request and, half a period later, an INSERT, again and again, waiting for none.
func burst(ctx context.Context, s *site, c *caller) (latency, error) {
	line := latency{name: fmt.Sprintf("burst of %v", burstLength)}
	var (
		mu     sync.Mutex
		group  sync.WaitGroup
		failed error
	)
	send := func(to *sample, op func() error) {
		group.Go(func() {
			began := time.Now()
			err := op()
			took := time.Since(began)
			mu.Lock()
			defer mu.Unlock()
			*to = append(*to, took)
			failed = errors.Join(failed, err)
		})
	}
	tick := time.NewTicker(time.Second / (2 * burstRate))
	defer tick.Stop()
	for i := range 2 * int(burstLength.Seconds()*burstRate) {
		select {
		case <-ctx.Done():
			return line, ctx.Err()
		case <-tick.C:
		}
		if i%2 == 0 {
			send(&line.ours, func() error { return c.post(ctx, i/2) })
		} else {
			send(&line.bare, func() error { return s.insertBare(ctx) })
		}
	}
	group.Wait()
	return line, failed
}

func (s *site) insertBare(ctx context.Context) error {
	_, err := s.db.Pool.Exec(ctx, bareInsert, "run/1", "key", "kind", owner, auditBody)
	return err
}

// serveAPI runs the product's API in this process until the returned function is called.
func (s *site) serveAPI(ctx context.Context) (stop func() error) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- app.API(ctx, s.cfg, s.log) }()
	return func() error {
		cancel()
		return <-ended
	}
}
