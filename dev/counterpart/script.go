package counterpart

import (
	"net/http"
	"sync"
)

// Script counts the requests to a stand-in by their kind, and says what is to go wrong with which. F is what can go
// wrong there; its zero value is nothing.
type Script[K comparable, F any] struct {
	ended chan struct{}

	mu     sync.Mutex
	counts map[K]int
	faults map[K][]F
}

// NewScript is one with which nothing goes wrong.
func NewScript[K comparable, F any]() *Script[K, F] {
	return &Script[K, F]{ended: make(chan struct{}), counts: map[K]int{}, faults: map[K][]F{}}
}

// Inject lets the next n requests of a kind go wrong, after those injected before.
func (s *Script[K, F]) Inject(kind K, n int, f F) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range n {
		s.faults[kind] = append(s.faults[kind], f)
	}
}

// Count says how many requests of a kind have come in, those that went wrong included.
func (s *Script[K, F]) Count(kind K) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts[kind]
}

// Next counts a request that has come in and takes what is to happen to it.
func (s *Script[K, F]) Next(kind K) (f F) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts[kind]++
	if list := s.faults[kind]; len(list) > 0 {
		f, s.faults[kind] = list[0], list[1:]
	}
	return f
}

// Wait holds a request until the test lets it go on; with the end of the test its connection breaks. One whose client
// has gone away meanwhile goes on too: it may have been under way when its sender died.
func (s *Script[K, F]) Wait(until <-chan struct{}) {
	select {
	case <-until:
	case <-s.ended:
		panic(http.ErrAbortHandler)
	}
}

// End is the end of the test: no request waits any longer.
func (s *Script[K, F]) End() { close(s.ended) }
