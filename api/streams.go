package api

import (
	"sync"
	"time"

	"steward/internal/fault"
)

// streams counts the event streams that each user has open: every one holds a connection (T-40).
type streams struct {
	most int
	mu   sync.Mutex
	open map[string]int
}

func newStreams(most int) *streams { return &streams{most: most, open: map[string]int{}} }

// enter takes a place for owner; the returned function gives it back.
func (s *streams) enter(owner string) (leave func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[owner] >= s.most {
		return nil, fault.New(fault.Exhausted, "%d streams are open already; close one first", s.most).
			WithCode("too_many_streams").WithRetryAfter(5 * time.Second)
	}
	s.open[owner]++
	return func() { s.leave(owner) }, nil
}

func (s *streams) leave(owner string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[owner]--; s.open[owner] == 0 {
		delete(s.open, owner)
	}
}
