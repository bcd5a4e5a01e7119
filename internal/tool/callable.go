package tool

import (
	"context"
	"errors"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"steward/internal/llm"
	"steward/internal/oauth"
	"steward/internal/registry"
	"steward/internal/store"
)

const (
	// listTime bounds how long one server may keep everybody waiting for the list.
	listTime = 5 * time.Second
	// listsAtOnce bounds how many servers are asked at the same time for one user: each may have to be dialled.
	listsAtOnce = 8
	// listAge is how long what owners can call is kept in memory. Changes that are announced drop it earlier; this
	// bounds how long a change is missed whose announcement was lost.
	listAge = 3 * time.Second
)

// gateway is what an executor keeps for calls outside runs.
type gateway struct {
	catalogues recent[string, Catalogue]
	offers     recent[offerKey, []Tool]
	checks     recent[checkKey, struct{}] // definitions that were still the approved ones
	reads      *recorder
}

type offerKey struct {
	owner           string
	server, version int64
}

// checkKey is a definition that somebody wants to call.
type checkKey struct {
	offerKey

	tool, pin string
}

// Callable is everything that owner can call now: approved tools of enabled servers, and tools of what is connected.
// Names are unique in it and made as for a run. Servers are asked eight at a time, each for at most 5 s; those that
// do not answer are named as absent. What it returns is shared: do not change it.
func (x *Executor) Callable(ctx context.Context, owner string) (Catalogue, error) {
	cat, err := x.served(ctx, owner)
	if err != nil {
		return Catalogue{}, err
	}
	connections, err := x.users.Of(ctx, owner) // never from memory: who has just connected something looks for it here
	if err != nil {
		return Catalogue{}, err
	}
	cat.Tools = slices.Clip(cat.Tools)
	for _, c := range connections {
		tools, err := describeConnection(c)
		if err != nil {
			return Catalogue{}, err
		}
		cat.Tools = append(cat.Tools, tools...)
	}
	return cat, nil
}

// served is what owner can call on servers, from memory where it was asked for a moment ago.
func (x *Executor) served(ctx context.Context, owner string) (Catalogue, error) {
	return x.direct.catalogues.get(ctx, owner, listAge, func(ctx context.Context) (Catalogue, error) { return x.gather(ctx, owner) })
}

// Changed forgets what a change makes doubtful: the next caller asks anew.
func (x *Executor) Changed(c store.Change) {
	if c.Kind != store.SecretChanged {
		x.forget("", c.Server)
	}
}

// forget drops what is known of a server's tools, or of all servers' where it is 0. Owner "" means everybody.
func (x *Executor) forget(owner string, server int64) {
	x.direct.catalogues.forget(func(of string) bool { return owner == "" || of == owner })
	x.direct.offers.forget(func(k offerKey) bool { return k.concerns(owner, server) })
	x.direct.checks.forget(func(k checkKey) bool { return k.concerns(owner, server) })
}

func (k offerKey) concerns(owner string, server int64) bool {
	return (owner == "" || k.owner == owner) && (server == 0 || k.server == server)
}

func (x *Executor) gather(ctx context.Context, owner string) (Catalogue, error) {
	servers, err := x.reg.Visible(ctx, owner)
	if err != nil {
		return Catalogue{}, err
	}
	offers, failures := make([][]Tool, len(servers)), make([]error, len(servers))
	var asked errgroup.Group
	asked.SetLimit(listsAtOnce)
	for i, s := range servers {
		if s.Enabled {
			asked.Go(func() error {
				offers[i], failures[i] = x.offered(ctx, owner, s)
				return nil
			})
		}
	}
	_ = asked.Wait() // what failed is said of each
	cat := Catalogue{Tools: []Tool{}}
	taken := map[string]bool{}
	for i, s := range servers {
		if failures[i] != nil {
			cat.Absent = append(cat.Absent, Absence{Server: s.Name, Reason: registry.Reason(failures[i])})
		}
		for _, t := range offers[i] {
			t.Function = llm.FunctionName(s.Name, t.Name, taken)
			cat.Tools = append(cat.Tools, t)
		}
	}
	return cat, nil
}

// offered is what owner can call on one server.
func (x *Executor) offered(ctx context.Context, owner string, s *store.MCPServer) ([]Tool, error) {
	key := offerKey{owner, s.ID, s.Version}
	return x.direct.offers.get(ctx, key, listAge, func(ctx context.Context) ([]Tool, error) {
		ctx, cancel := context.WithTimeout(ctx, listTime)
		defer cancel()
		offers, err := x.reg.Offers(ctx, owner, s)
		if err != nil {
			return nil, x.unlisted(ctx, s, err)
		}
		tools := make([]Tool, 0, len(offers))
		for _, o := range offers {
			if o.State != registry.Approved || o.Override.Disabled {
				continue
			}
			t, visible, err := describe(s, o)
			if err != nil {
				return nil, err
			}
			if visible {
				tools = append(tools, t)
			}
		}
		return tools, nil
	})
}

// unlisted keeps why a server's tools are not known; the log is told as well, unless a person can help.
func (x *Executor) unlisted(ctx context.Context, s *store.MCPServer, err error) error {
	if _, consent := errors.AsType[*oauth.ConsentError](err); !consent {
		x.log.WarnContext(ctx, "tools of a server not listed", "server", s.ID, "error", err)
	}
	return err
}
