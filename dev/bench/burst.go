package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
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
	return s.besideAPI(ctx, func(c *caller) error {
		for i := range burstWarm {
			if err := c.post(ctx, i); err != nil {
				return err
			}
		}
		line, err := burst(ctx, s, c)
		if err != nil {
			return err
		}
		return r.latencies(fmt.Sprintf("202 of POST /automation/run at %d/s with worker and Temporal at work / INSERT at the same rate beside it", burstRate),
			line, latency{"the same / INSERT on the idle machine", line.ours, idle})
	})
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
