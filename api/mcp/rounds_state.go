package mcp

import (
	"crypto/rand"
	"time"

	"steward/internal/fault"
	"steward/internal/mcpclient"
	"steward/internal/tool"
)

const (
	mostOpen  = 16               // calls of one caller that wait for an answer at once
	mostKnown = 64               // states of one caller that are known, with those that are used up
	knownTime = 15 * time.Minute // for a client whose connection broke to come again
)

// place is where a requestState leads.
type place struct {
	*round

	since time.Time
}

// put keeps a call until its answer comes. It returns the *questions to ask, or why there are none.
func (s *rounds) put(r *round, q mcpclient.Question) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	open, known, oldest := 0, 0, ""
	for state, p := range s.states {
		if p.owner != r.owner {
			continue
		}
		known++
		switch {
		case p.waits(state):
			open++
		case oldest == "" || p.since.Before(s.states[oldest].since):
			oldest = state
		}
	}
	if open >= mostOpen {
		r.cancel()
		return fault.New(fault.Exhausted, "%d calls wait for answers already", mostOpen).WithCode("too_many_questions")
	}
	if known >= mostKnown {
		delete(s.states, oldest)
	}
	r.open = &questions{question: q, state: rand.Text()}
	state := r.open.state
	s.states[state] = &place{r, time.Now()}
	time.AfterFunc(knownTime, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.states, state)
	})
	return r.open
}

// take finds the call that a request goes on with; nil if there is none. Its question is open to the first who comes.
// To others asked is what it asks by now, if it does.
func (s *rounds) take(c *call) (r *round, asked *questions, open bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	state := c.request.Params.RequestState
	p := s.states[state]
	switch {
	case p == nil || p.owner != identity(c.caller) || p.digest != digestOf(c.request):
		return nil, nil, false
	case p.waits(state):
		p.open = nil
		return p.round, nil, true
	case p.open != nil && p.waits(p.open.state):
		return p.round, p.open, false
	}
	return p.round, nil, false
}

// lapse closes a question that was answered, or that nobody answered in time.
func (s *rounds) lapse(r *round) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r.open = nil
}

// claim hands out the answer of a call that is over, once; to others the id under which the ledger has it.
func (s *rounds) claim(r *round) (done *tool.Done, id string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.done != nil {
		done, r.id, r.done = r.done, r.done.CallID, nil
	}
	return done, r.id, r.err
}
