package mcp

import (
	"context"
	"crypto/sha256"
	"sync"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"steward/internal/mcpclient"
	"steward/internal/tool"
)

// round is one call under way.
type round struct {
	owner  string
	digest [sha256.Size]byte // of the tool's name and arguments
	cancel context.CancelFunc

	asks    chan mcpclient.Question
	answers chan mcpclient.Answer
	over    chan struct{} // closed when it has ended: then the next three are there, under the lock of all rounds
	done    *tool.Done    // nil once it was handed out
	id      string        // of the call, once done was handed out
	err     error

	open *questions // what waits for an answer, under the lock of all rounds

	mu   sync.Mutex
	tell func(mcpclient.Progress) // to the request that waits for it now
}

func newRound(c *call, cancel context.CancelFunc) *round {
	return &round{
		owner: identity(c.caller), digest: digestOf(c.request), cancel: cancel,
		asks: make(chan mcpclient.Question), answers: make(chan mcpclient.Answer), over: make(chan struct{}),
	}
}

func digestOf(r *sdk.CallToolRequest) [sha256.Size]byte {
	return sha256.Sum256(append([]byte(r.Params.Name+"\x00"), r.Params.Arguments...))
}

// waits reports whether the question of that state waits for its answer.
func (r *round) waits(state string) bool {
	select {
	case <-r.over:
		return false
	default:
		return r.open != nil && r.open.state == state
	}
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
