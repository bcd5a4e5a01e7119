package registry

import (
	"context"

	"steward/internal/mcpclient"
	"steward/internal/store"
)

// Offered is a tool as a server offers it to one user, with what is known of it. Its hints are those that count: the
// owner's, else those of a server that an admin trusts.
type Offered struct {
	mcpclient.Tool
	Pin      string
	State    ToolState
	Override Override
	Trusted  bool // the server's other words, in _meta, are believed
}

// Offers asks the server for its tools, through the pool's cache, and records what it answered. The error is an
// *oauth.ConsentError when the server wants a credential that the owner has not given.
func (r *Registry) Offers(ctx context.Context, owner string, s *store.MCPServer) ([]Offered, error) {
	l, err := r.list(ctx, owner, s, anyAge)
	if err != nil {
		return nil, err
	}
	known, err := r.record(ctx, s, l)
	if err != nil {
		return nil, err
	}
	offers := make([]Offered, len(l.tools))
	for i, t := range l.tools {
		o := Offered{Tool: t, Pin: l.pins[i], State: known.state(t.Name, l.pins[i]), Override: known.overrides[t.Name], Trusted: s.Trusted}
		h := hintsOf(t).effective(s.Trusted, o.Override)
		o.ReadOnly, o.Destructive, o.Idempotent, o.OpenWorld = h.ReadOnly, h.Destructive, h.Idempotent, h.OpenWorld
		offers[i] = o
	}
	return offers, nil
}

// Hints are a tool's annotations (MCP ToolAnnotations). Nil is not false: nobody has said anything.
type Hints struct {
	ReadOnly    *bool
	Destructive *bool
	Idempotent  *bool
	OpenWorld   *bool
}

func hintsOf(t mcpclient.Tool) Hints {
	return Hints{t.ReadOnly, t.Destructive, t.Idempotent, t.OpenWorld}
}

// effective is what counts: the owner's word, else the server's where an admin trusts it (DESIGN §3).
func (h Hints) effective(trusted bool, o Override) Hints {
	pick := func(said, hint *bool) *bool {
		switch {
		case said != nil:
			return said
		case trusted:
			return hint
		}
		return nil
	}
	return Hints{pick(o.ReadOnly, h.ReadOnly), pick(o.Destructive, h.Destructive), pick(o.Idempotent, h.Idempotent), pick(o.OpenWorld, h.OpenWorld)}
}
