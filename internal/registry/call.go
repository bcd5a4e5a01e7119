package registry

import (
	"context"

	"steward/internal/mcpclient"
	"steward/internal/store"
)

// Call sends one tool call. Errors are *mcpclient.Error, which says whether the call may have run, or those of
// Ready and faults that say what is missing, after which nothing was sent. A timeout that the owner has set for the
// tool, or the server, holds beside that of ctx.
func (r *Registry) Call(ctx context.Context, owner string, s *store.MCPServer, call mcpclient.Call) (*mcpclient.Result, error) {
	known, err := r.knownTools(ctx, s.ID)
	if err != nil {
		return nil, err
	}
	return r.answered(ctx, owner, s, func(t mcpclient.Target) (*mcpclient.Result, error) {
		if own := known.overrides[call.Tool].Timeout; own > 0 {
			t.Timeout = own
		}
		return r.pool.Call(ctx, t, call)
	})
}

// Task asks how far a server is with a task that it answered a call with. Errors are like Call's; asking runs nothing.
func (r *Registry) Task(ctx context.Context, owner string, s *store.MCPServer, id string) (*mcpclient.Result, error) {
	return r.answered(ctx, owner, s, func(t mcpclient.Target) (*mcpclient.Result, error) { return r.pool.Task(ctx, t, id) })
}

// AnswerTask gives a task what it needs to go on.
func (r *Registry) AnswerTask(ctx context.Context, owner string, s *store.MCPServer, id string, given mcpclient.Given) error {
	return r.reach(ctx, owner, s, func(to aim) error { return r.pool.AnswerTask(ctx, to.Target, id, given) })
}

// CancelTask asks the server to give a task up.
func (r *Registry) CancelTask(ctx context.Context, owner string, s *store.MCPServer, id string) error {
	return r.reach(ctx, owner, s, func(to aim) error { return r.pool.CancelTask(ctx, to.Target, id) })
}

// answered reaches the server and takes out of its answer what the user alone has given it.
func (r *Registry) answered(ctx context.Context, owner string, s *store.MCPServer, ask func(mcpclient.Target) (*mcpclient.Result, error)) (*mcpclient.Result, error) {
	var result *mcpclient.Result
	err := r.reach(ctx, owner, s, func(to aim) (err error) {
		result, err = ask(to.Target)
		to.withoutOwn(result)
		return err
	})
	return result, err
}

// Drop ends the session that owner has with the server: what it has not done by now it will not do,
// because the child process dies with it. Only a stdio server promises that much.
func (r *Registry) Drop(owner string, s *store.MCPServer) {
	if s.Transport == transportStdio {
		r.pool.Drop(key(owner, s))
	}
}
