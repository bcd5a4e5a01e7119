package mcp

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"steward/internal/fault"
	"steward/internal/mcpclient"
	"steward/internal/tool"
)

// rounds are the calls that have asked something and wait for the client to come back with the answer, which since
// 2026-07-28 is a request of its own ("input_required"). A call is found again by a random requestState, by the same
// caller with the same arguments, and is answered once; whoever comes with the state again, perhaps because the
// connection broke, is told what became of the call. It lives in this process: requests must come back to it.
type rounds struct {
	look func(ctx context.Context, owner, id string) (tool.Ledger, error) // what the ledger says of a call

	mu     sync.Mutex
	states map[string]*place
}

func newRounds(look func(ctx context.Context, owner, id string) (tool.Ledger, error)) *rounds {
	return &rounds{look: look, states: map[string]*place{}}
}

type asking = func(context.Context, mcpclient.Question) (mcpclient.Answer, error)

// sending makes a call; it asks and tells through what it is given. How long it waits for an answer is its own to say.
type sending func(ctx context.Context, ask asking, progress func(mcpclient.Progress)) (*tool.Done, error)

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

// begin starts a call that outlives its request when it asks something.
func (s *rounds) begin(ctx context.Context, c *call, send sending) (*tool.Done, error) {
	working, cancel := context.WithCancel(context.WithoutCancel(ctx))
	r := newRound(c, cancel)
	allowed := c.request.ClientCapabilities()
	go func() {
		defer cancel()
		defer close(r.over)
		defer func() {
			if cause := recover(); cause != nil {
				r.err = fmt.Errorf("panic in a tool call: %v\n%s", cause, debug.Stack())
			}
		}()
		ask := func(ctx context.Context, q mcpclient.Question) (mcpclient.Answer, error) {
			if !canAsk(allowed, q) {
				return cancelled, nil
			}
			defer s.lapse(r)
			return r.ask(ctx, q)
		}
		r.done, r.err = send(working, ask, r.progress)
	}()
	return s.wait(ctx, c, r)
}

// resume goes on with a call whose question is answered.
func (s *rounds) resume(ctx context.Context, c *call) (*tool.Done, error) {
	answer := cancelled
	if given, ok := c.request.Params.InputResponses[answerKey].(*sdk.ElicitResult); ok {
		var err error
		if answer, err = answerOf(given); err != nil {
			return nil, err
		}
	}
	r, asked, open := s.take(c)
	switch {
	case r == nil:
		return nil, errNoRound
	case asked != nil:
		return nil, asked
	case !open: // whoever answered waits too, and has the say over the call
		return s.hear(ctx, c, r)
	}
	select {
	case r.answers <- answer:
	case q := <-r.asks: // the server has taken its question back, and has another
		return nil, s.put(r, q)
	case <-r.over:
	case <-ctx.Done():
		r.cancel()
		return nil, ctx.Err()
	}
	return s.wait(ctx, c, r)
}

// errNoRound is the one answer for a state that is forgotten, changed, or somebody else's. What it was about may have
// taken effect.
var errNoRound = fault.New(fault.Conflict,
	"requestState is not that of a question about this call. If it was once, look whether the call took effect before it is made again").WithCode("request_state")

// wait is hear for the request that the call is made for: it ends with it.
func (s *rounds) wait(ctx context.Context, c *call, r *round) (*tool.Done, error) {
	r.attach(progressTo(ctx, c.request))
	defer r.attach(nil)
	done, err := s.hear(ctx, c, r)
	if ctx.Err() != nil {
		r.cancel()
	}
	return done, err
}

// hear returns how a call ends, or *questions when it asks something first.
func (s *rounds) hear(ctx context.Context, c *call, r *round) (*tool.Done, error) {
	select {
	case <-r.over:
		return s.outcome(ctx, c, r)
	case <-ctx.Done():
		return nil, ctx.Err()
	case q := <-r.asks:
		return nil, s.put(r, q)
	}
}

// outcome is how a call has ended: its answer for the first who asks, what the ledger has of it for the others, since
// answers may be large.
func (s *rounds) outcome(ctx context.Context, c *call, r *round) (*tool.Done, error) {
	done, id, err := s.claim(r)
	if done != nil || err != nil {
		return done, err
	}
	kept, err := s.look(ctx, c.caller.Owner, id)
	switch {
	case fault.Is(err, fault.NotFound):
		return nil, errAnswered
	case err != nil:
		return nil, err
	case kept.Done == nil:
		return &tool.Done{CallID: id, IsError: kept.Row.IsError}, nil
	}
	return kept.Done, nil
}

// errAnswered is for a call that changes nothing: the ledger has none of those.
var errAnswered = fault.New(fault.Conflict, "the call was answered already; it changes nothing and can be made again").WithCode("request_state")
