package tool

import (
	"context"
	"errors"
	"fmt"

	"steward/internal/automation"
	"steward/internal/connector"
	"steward/internal/fault"
	"steward/internal/llm"
	"steward/internal/oauth"
	"steward/internal/registry"
	"steward/internal/store"
)

// Sources are where a run's tools come from.
type Sources struct {
	Servers     []*store.MCPServer
	Connections []connector.Connection
	// Named says that somebody named the servers: one that wants a consent is waited for. Of those that are merely
	// there the run goes on without.
	Named bool
	// Had says whether a server had the hinted tool when it was last seen; nil: nobody knows.
	Had func(ctx context.Context, server int64, tool string) (bool, error)
}

// Unready is a source that a person must see to before the run can begin.
type Unready struct{ Park automation.Park }

// Error is for people.
func (u *Unready) Error() string { return u.Park.Waiting.Reason }

// Resolve asks the sources for their tools and fixes names, pins and classes. The hinted tool, if any source
// has it, comes first. Tools that nobody has agreed to as they are now are left out.
//
// The error is an *Unready if what the request names needs a person first. Otherwise it fails only if there are servers
// and none of them answered, nor is there a connection.
func Resolve(ctx context.Context, reg *registry.Registry, owner string, from Sources, hint string) (Catalogue, error) {
	r := resolution{reg: reg, owner: owner, from: from, hint: hint, taken: map[string]bool{}}
	for _, s := range from.Servers {
		if err := r.server(ctx, s); err != nil {
			return r.cat, err
		}
	}
	for _, c := range from.Connections {
		tools, err := describeConnection(c)
		if err != nil {
			return r.cat, err
		}
		r.cat.Tools = append(r.cat.Tools, tools...)
	}
	if len(r.cat.Tools) == 0 && r.last != nil {
		return r.cat, fault.Wrap(r.last, fault.Upstream, "none of the run's MCP servers could be reached: %s: %s",
			r.cat.Absent[0].Server, r.cat.Absent[0].Reason).WithCode("server_unreachable")
	}
	r.cat.putFirst(hint)
	return r.cat, nil
}

// resolution is a catalogue in the making.
type resolution struct {
	reg   *registry.Registry
	owner string
	from  Sources
	hint  string

	cat   Catalogue
	taken map[string]bool
	last  error // of a server that could not be asked
}

func (r *resolution) server(ctx context.Context, s *store.MCPServer) error {
	offered, err := r.reg.Offers(ctx, r.owner, s)
	if err != nil {
		return r.absent(ctx, s, err)
	}
	for _, o := range offered {
		if o.State != registry.Approved {
			if err := r.withhold(s, o); err != nil {
				return err
			}
			continue
		}
		if o.Override.Disabled {
			r.leaveOut(s, o, "it is switched off")
			continue
		}
		t, visible, err := describe(s, o)
		if err != nil {
			return err
		}
		if visible {
			t.Function = llm.FunctionName(s.Name, o.Name, r.taken)
			r.cat.Tools = append(r.cat.Tools, t)
		}
	}
	return nil
}

// absent goes on without a server, or stops for a consent if the run was made for it.
func (r *resolution) absent(ctx context.Context, s *store.MCPServer, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("list tools: %w", err)
	}
	if need, ok := errors.AsType[*oauth.ConsentError](err); ok {
		wanted, err := r.wanted(ctx, s)
		if err != nil {
			return err
		}
		if wanted {
			return &Unready{consent(need, s.Name)}
		}
	}
	r.last = err
	r.cat.Absent = append(r.cat.Absent, Absence{Server: s.Name, Reason: registry.Reason(err)})
	return nil
}

// wanted says that the request names the server, or a tool that it had.
func (r *resolution) wanted(ctx context.Context, s *store.MCPServer) (bool, error) {
	if r.from.Named || r.hint == "" || r.from.Had == nil {
		return r.from.Named, nil
	}
	return r.from.Had(ctx, s.ID, r.hint)
}

// withhold leaves out a tool that is not as somebody agreed to it, or stops for a review if the run was made for it.
func (r *resolution) withhold(s *store.MCPServer, o registry.Offered) error {
	reason := "its definition has changed and must be reviewed"
	if o.State == registry.Rejected {
		reason = "its definition was rejected"
	}
	if o.State == registry.Quarantined && o.Name == r.hint {
		return &Unready{*review(Tool{Server: s.ID, ServerName: s.Name, Name: o.Name}, "the tool's definition has changed")}
	}
	r.leaveOut(s, o, reason)
	return nil
}

func (r *resolution) leaveOut(s *store.MCPServer, o registry.Offered, reason string) {
	r.cat.Absent = append(r.cat.Absent, Absence{Server: s.Name, Tool: Clean(o.Name, maxToolName), Reason: reason})
}

// consent lets the run wait for a person's consent.
func consent(need *oauth.ConsentError, connector string) automation.Park {
	return automation.Park{State: automation.WaitingForAuth, Waiting: automation.Waiting{
		Reason: need.Reason, Provider: need.Provider, Connector: connector, Scopes: need.Scopes, Version: need.Version,
	}}
}
