package mcpclient

import (
	"context"
	"encoding/json"
	"errors"
	"sync/atomic"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

const methodElicit = "elicitation/create"

// floor is for the one call of a session that may be asked. Up to 2025-11-25 a question does not say which call it
// is about, so calls that can be asked go one after the other; a question that another call's tool raises meanwhile
// reaches the same person, for a session has one owner.
type floor struct {
	turn   chan struct{} // a channel, because those who wait for it have deadlines
	holder atomic.Pointer[asked]
}

// asked is a call that may be asked.
type asked struct {
	ctx context.Context
	ask func(context.Context, Question) (Answer, error)
}

func newFloor() *floor { return &floor{turn: make(chan struct{}, 1)} }

// take waits for the floor; giveBack must be called.
func (f *floor) take(ctx context.Context, ask func(context.Context, Question) (Answer, error)) (giveBack func(), err error) {
	select {
	case f.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	f.holder.Store(&asked{ctx, ask})
	return func() {
		f.holder.Store(nil)
		<-f.turn
	}, nil
}

// answerRequests answers what a server asks of us: questions through the call that has the floor, ping by go-sdk,
// and nothing else. The SDK would list our (empty) roots even though we never offered any.
func (s *session) answerRequests(next mcp.MethodHandler) mcp.MethodHandler {
	return func(ctx context.Context, method string, req mcp.Request) (mcp.Result, error) {
		switch method {
		case methodElicit:
			return s.elicit(ctx, req)
		case "roots/list", "sampling/createMessage":
			return nil, &jsonrpc.Error{Code: jsonrpc.CodeMethodNotFound, Message: method + " is not offered"}
		}
		return next(ctx, method, req)
	}
}

// elicit asks whoever has the floor. Its time stands still meanwhile. "cancel" is the answer of nobody: it says that
// no choice was made.
func (s *session) elicit(ctx context.Context, req mcp.Request) (mcp.Result, error) {
	params, err := json.Marshal(req.GetParams())
	if err != nil {
		return nil, errors.New("the question cannot be read")
	}
	q, err := parseQuestion(params)
	if err != nil {
		s.log.WarnContext(ctx, "mcp question refused", "server", s.name, "error", err)
		return nil, &jsonrpc.Error{Code: jsonrpc.CodeInvalidParams, Message: "the question is not one that people can be asked"}
	}
	holder := s.floor.holder.Load()
	if holder == nil {
		return &mcp.ElicitResult{Action: ActionCancel}, nil
	}
	defer pause(holder.ctx)()
	asking, cancel := context.WithCancel(holder.ctx)
	defer cancel()
	defer context.AfterFunc(ctx, cancel)()
	a, err := holder.ask(asking, q)
	if err == nil && a.Action == ActionAccept {
		a, err = q.Accept(a.Content)
	}
	if err != nil {
		s.log.WarnContext(ctx, "mcp question not answered", "server", s.name, "error", err)
		a = Answer{Action: ActionCancel}
	}
	return a.result()
}
