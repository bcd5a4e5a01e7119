package mcp

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"steward/internal/fault"
	"steward/internal/mcpclient"
	"steward/internal/tool"
)

const (
	answerTime = 5 * time.Minute // for a client to come back with the user's answer
	mostOpen   = 16              // calls of one caller that wait for an answer at once
)

// rounds are the calls that have asked something and wait for the client to come back with the answer, which since
// 2026-07-28 is a request of its own ("input_required"). A call is found again by a random requestState, by the same
// caller with the same arguments, once. It lives in this process: requests must come back to it.
type rounds struct {
	mu   sync.Mutex
	open map[string]*round
}

func newRounds() *rounds { return &rounds{open: map[string]*round{}} }

type asking = func(context.Context, mcpclient.Question) (mcpclient.Answer, error)

// sending makes a call; it asks and tells through what it is given.
type sending func(ctx context.Context, ask asking, progress func(mcpclient.Progress)) (*tool.Done, error)

// round is one call under way.
type round struct {
	owner  string
	digest [sha256.Size]byte // of the tool's name and arguments
	cancel context.CancelFunc

	asks    chan mcpclient.Question
	answers chan mcpclient.Answer
	ended   chan ending
	expiry  *time.Timer

	mu   sync.Mutex
	tell func(mcpclient.Progress) // to the request that waits for it now
}

type ending struct {
	done *tool.Done
	err  error
}

// questions ends a request instead of an answer.
type questions struct {
	question mcpclient.Question
	state    string
}

// Error is never shown: it says what the error is for.
func (q *questions) Error() string { return "the tool asks something first" }

const answerKey = "answer"

func (q *questions) result() *sdk.CallToolResult {
	return &sdk.CallToolResult{InputRequests: sdk.InputRequestMap{answerKey: elicitation(q.question)}, RequestState: q.state}
}

func digestOf(r *sdk.CallToolRequest) [sha256.Size]byte {
	return sha256.Sum256(append([]byte(r.Params.Name+"\x00"), r.Params.Arguments...))
}

// begin starts a call that outlives its request when it asks something.
func (s *rounds) begin(ctx context.Context, c *call, send sending) (*tool.Done, error) {
	working, cancel := context.WithCancel(context.WithoutCancel(ctx))
	r := &round{
		owner: identity(c.caller), digest: digestOf(c.request), cancel: cancel,
		asks: make(chan mcpclient.Question), answers: make(chan mcpclient.Answer), ended: make(chan ending, 1),
	}
	allowed := c.request.ClientCapabilities()
	go func() {
		defer cancel()
		defer func() {
			if cause := recover(); cause != nil {
				r.ended <- ending{err: fmt.Errorf("panic in a tool call: %v\n%s", cause, debug.Stack())}
			}
		}()
		ask := func(ctx context.Context, q mcpclient.Question) (mcpclient.Answer, error) {
			if !canAsk(allowed, q) {
				return cancelled, nil
			}
			return r.ask(ctx, q)
		}
		done, err := send(working, ask, r.progress)
		r.ended <- ending{done, err}
	}()
	return s.wait(ctx, c, r)
}

// resume goes on with a call whose question is answered.
func (s *rounds) resume(ctx context.Context, c *call) (*tool.Done, error) {
	r := s.take(c)
	if r == nil {
		return nil, errNoRound
	}
	answer := cancelled
	if given, ok := c.request.Params.InputResponses[answerKey].(*sdk.ElicitResult); ok {
		var err error
		if answer, err = answerOf(given); err != nil {
			return nil, err
		}
	}
	select {
	case r.answers <- answer:
	case e := <-r.ended:
		return e.done, e.err
	case <-ctx.Done():
		r.cancel()
		return nil, ctx.Err()
	}
	return s.wait(ctx, c, r)
}

// errNoRound is the one answer for a state that is used up, expired, changed, or somebody else's.
var errNoRound = fault.New(fault.Conflict, "requestState is not that of an open question about this call: make the call again").WithCode("request_state")

// wait returns how a call ends, or *questions when it asks something first.
func (s *rounds) wait(ctx context.Context, c *call, r *round) (*tool.Done, error) {
	r.attach(progressTo(ctx, c.request))
	defer r.attach(nil)
	select {
	case e := <-r.ended:
		return e.done, e.err
	case <-ctx.Done():
		r.cancel()
		return nil, ctx.Err()
	case q := <-r.asks:
		state, ok := s.put(r)
		if !ok {
			r.cancel()
			return nil, fault.New(fault.Exhausted, "%d calls wait for answers already", mostOpen).WithCode("too_many_questions")
		}
		return nil, &questions{question: q, state: state}
	}
}

// put keeps a call until its answer comes, or nobody answers.
func (s *rounds) put(r *round) (state string, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	waiting := 0
	for _, other := range s.open {
		if other.owner == r.owner {
			waiting++
		}
	}
	if waiting >= mostOpen {
		return "", false
	}
	state = rand.Text()
	s.open[state] = r
	r.expiry = time.AfterFunc(answerTime, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.open[state] == r {
			delete(s.open, state)
			r.cancel()
		}
	})
	return state, true
}

// take finds the call that a request goes on with; nobody finds it again.
func (s *rounds) take(c *call) *round {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.open[c.request.Params.RequestState]
	if r == nil || r.owner != identity(c.caller) || r.digest != digestOf(c.request) {
		return nil
	}
	delete(s.open, c.request.Params.RequestState)
	r.expiry.Stop()
	return r
}

func (r *round) ask(ctx context.Context, q mcpclient.Question) (mcpclient.Answer, error) {
	select {
	case r.asks <- q:
	case <-ctx.Done():
		return mcpclient.Answer{}, ctx.Err()
	}
	select {
	case a := <-r.answers:
		return a, nil
	case <-ctx.Done():
		return mcpclient.Answer{}, ctx.Err()
	}
}

func (r *round) attach(tell func(mcpclient.Progress)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tell = tell
}

func (r *round) progress(p mcpclient.Progress) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.tell != nil {
		r.tell(p)
	}
}
