package run

import (
	"context"
	"sync"
)

// order is an accepted run to be handed to Temporal.
type order struct {
	run      int64
	workflow string
}

// starter hands accepted runs to Temporal in the background, a few at a time. An order that finds no room
// is dropped: the row waits for the reconciler, so a burst is a longer queue and never a slower accept.
type starter struct {
	orders chan order
	stop   context.CancelFunc
	done   sync.WaitGroup
}

const (
	startersAtOnce = 4
	ordersWaiting  = 256
)

func newStarter(start func(context.Context, order) error) *starter {
	ctx, stop := context.WithCancel(context.Background())
	s := &starter{orders: make(chan order, ordersWaiting), stop: stop}
	for range startersAtOnce {
		s.done.Go(func() {
			for {
				select {
				case <-ctx.Done():
					return
				case o := <-s.orders:
					// An error is not news: the row stays queued and the reconciler reports what it cannot start.
					_ = start(ctx, o)
				}
			}
		})
	}
	return s
}

func (s *starter) offer(o order) {
	select {
	case s.orders <- o:
	default:
	}
}

func (s *starter) close() {
	s.stop()
	s.done.Wait()
}
