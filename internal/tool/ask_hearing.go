package tool

import (
	"sync"
	"time"

	"steward/internal/mcpclient"
)

// hearing is the time that people have for what a server asks in the middle of one call: one question after the other,
// and the call's own time stands still meanwhile.
type hearing struct {
	clock *clock
	most  int // questions

	mu    sync.Mutex
	asked int
	left  time.Duration
}

func newHearing(k *clock, most int) *hearing { return &hearing{clock: k, most: most, left: midwayTime} }

// one has a question put. When there is no time left, or the question is not one that people can be asked (T-03), the
// server is told that nobody answered.
func (h *hearing) one(q mcpclient.Question, put func(in Input, left time.Duration) (mcpclient.Answer, error)) (mcpclient.Answer, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	in, can := inputOf(q)
	if !can || h.left <= 0 || h.asked >= h.most {
		return unanswered, nil
	}
	h.asked++
	h.clock.stop()
	defer h.clock.start()
	began := time.Now()
	defer func() { h.left -= time.Since(began) }()
	return put(in, h.left)
}
