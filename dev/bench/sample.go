package main

import (
	"context"
	"math"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// sample is how long each of some operations took.
type sample []time.Duration

// at is the q-quantile by the nearest-rank method: the smallest value that a share of q does not exceed. An
// empty sample has none: 0.
func (s sample) at(q float64) time.Duration {
	if len(s) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(s))
	return sorted[max(0, int(math.Ceil(q*float64(len(sorted))))-1)]
}

// timed adds the time that op takes.
func (s *sample) timed(op func() error) error {
	began := time.Now()
	err := op()
	*s = append(*s, time.Since(began))
	return err
}

// repeated does op n times, width at a time, and returns how long each took and all together.
func repeated(ctx context.Context, n, width int, op func(context.Context) error) (sample, time.Duration, error) {
	var (
		mu    sync.Mutex
		taken sample
	)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(width)
	began := time.Now()
	for range n {
		group.Go(func() error {
			began := time.Now()
			err := op(ctx)
			took := time.Since(began)
			mu.Lock()
			defer mu.Unlock()
			taken = append(taken, took)
			return err
		})
	}
	err := group.Wait()
	return taken, time.Since(began), err
}
