package tool

import (
	"context"
	"errors"
	"slices"
	"time"

	"steward/internal/fault"
	"steward/internal/mcpclient"
	"steward/internal/oauth"
	"steward/internal/registry"
	"steward/internal/store"
)

// aimed is what a call outside a run goes to.
type aimed struct {
	tool    Tool
	source  source
	timeout time.Duration
}

// aim finds what the owner calls, from memory where it was asked for a moment ago.
func (x *Executor) aim(ctx context.Context, d Direct) (aimed, error) {
	if d.Server != 0 {
		return x.aimServer(ctx, d.Owner, d.Server, d.Tool)
	}
	if id, ok := x.users.Holder(d.Function); ok {
		return x.aimConnection(ctx, d.Owner, id, d.Function)
	}
	cat, err := x.served(ctx, d.Owner)
	if err != nil {
		return aimed{}, err
	}
	t, ok := cat.Find(d.Function)
	if !ok {
		return aimed{}, noTool()
	}
	return x.aimServer(ctx, d.Owner, t.Server, t.Name)
}

func (x *Executor) aimConnection(ctx context.Context, owner, id, name string) (aimed, error) {
	of, own, ok, err := x.users.Lookup(ctx, owner, id, name)
	if err != nil {
		return aimed{}, err
	}
	if !ok {
		return aimed{}, noTool()
	}
	t, err := describeOwn(of, own)
	return aimed{t, &connection{connections: x.users, log: x.log, owner: owner, of: of, tool: own}, x.timeout}, err
}

func noTool() error {
	return fault.New(fault.NotFound, "there is no such tool among those that can be called now")
}

func (x *Executor) aimServer(ctx context.Context, owner string, server int64, name string) (aimed, error) {
	row, err := x.reg.Server(ctx, owner, server)
	switch {
	case err != nil:
		return aimed{}, err
	case row == nil || !row.Enabled:
		return aimed{}, fault.New(fault.NotFound, "no such MCP server, or it is disabled")
	}
	tools, err := x.offered(ctx, owner, row)
	if err != nil {
		return aimed{}, unreached(row, err)
	}
	i := slices.IndexFunc(tools, func(t Tool) bool { return t.Name == name })
	if i < 0 {
		return aimed{}, x.unoffered(ctx, owner, row, name)
	}
	return aimed{tools[i], x.serverSource(owner, row, tools[i]), x.limit(&call{tool: tools[i]})}, nil
}

// serverSource is an MCP server as the source of one tool.
func (x *Executor) serverSource(owner string, row *store.MCPServer, t Tool) *server {
	return &server{reg: x.reg, log: x.log, owner: owner, row: row, tool: t, injector: x.injector}
}

// unreached is why a server's tools are not known: a consent that is missing, or words about the server.
func unreached(s *store.MCPServer, err error) error {
	if need, ok := errors.AsType[*oauth.ConsentError](err); ok {
		return need
	}
	_, theirs := errors.AsType[*mcpclient.Error](err)
	if _, ours := errors.AsType[*fault.Error](err); ours || !theirs {
		return err
	}
	return fault.Wrap(err, fault.Upstream, "%s could not be reached, and nothing was done: %s", s.Name, registry.Reason(err)).WithCode("server_unreachable")
}

// unoffered says why a tool cannot be called: there is none of the name, or its definition waits for its owner.
func (x *Executor) unoffered(ctx context.Context, owner string, s *store.MCPServer, name string) error {
	offers, err := x.reg.Offers(ctx, owner, s)
	if err != nil {
		return unreached(s, err)
	}
	for _, o := range offers {
		switch {
		case o.Name != name:
		case o.State != registry.Approved:
			return quarantined(&registry.DriftError{Server: s.Name, Tool: Clean(name, maxToolName), Is: o.Pin, State: o.State})
		case o.Override.Disabled:
			return fault.New(fault.Forbidden, "the tool %s of %s is switched off", Clean(name, maxToolName), s.Name).WithCode(registry.CodeToolDisabled)
		}
	}
	return fault.New(fault.NotFound, "%s has no tool of this name", s.Name)
}

func quarantined(d *registry.DriftError) error {
	return fault.Wrap(d, fault.Conflict, "%s", d.Error()).WithCode(CodeQuarantined)
}
