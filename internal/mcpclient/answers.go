package mcpclient

import (
	"context"
	"errors"
	"sync"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
)

// answers leads responses to the wires of the requests they answer, where one stream carries them all.
type answers struct {
	progress *progressTable // of the session

	mu      sync.Mutex
	waiting map[jsonrpc.ID]*wire
}

// expect registers the wire of a request for its answer.
func (a *answers) expect(ctx context.Context, msg jsonrpc.Message) *wire {
	req, ok := msg.(*jsonrpc.Request)
	if !ok || !req.IsCall() {
		return nil
	}
	w := wireOf(ctx)
	if w == nil {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.waiting == nil {
		a.waiting = map[jsonrpc.ID]*wire{}
	}
	a.waiting[req.ID] = w
	w.record(func(w *wire) {
		w.forget = func() { // an answer that never comes must not be waited for
			a.mu.Lock()
			defer a.mu.Unlock()
			delete(a.waiting, req.ID)
		}
	})
	return w
}

// deliver hands a response to the wire that waits for it, and counts progress; other messages and answers to nobody are
// left alone.
func (a *answers) deliver(msg jsonrpc.Message) {
	if req, ok := msg.(*jsonrpc.Request); ok {
		a.progress.came(req.Method, req.Params)
	}
	resp, ok := msg.(*jsonrpc.Response)
	if !ok {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	fault, _ := errors.AsType[*jsonrpc.Error](resp.Error)
	a.waiting[resp.ID].record(func(w *wire) { w.answer = answer{result: resp.Result, fault: fault} })
	delete(a.waiting, resp.ID)
}
