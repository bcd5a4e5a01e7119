package api

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"steward/internal/auth"
	"steward/internal/fault"
	"steward/internal/idempotency"
	"steward/internal/registry"
	"steward/internal/store"
)

// servers serves /mcp/servers: the MCP servers that a user may call (seed 001), what is known of their tools, and our
// servers in the official registry's read API.
type servers struct {
	db       *store.DB
	registry *registry.Registry
	install  Install
	public   string // our host, for names in reverse DNS
}

// Install accepts a package for installation, for an admin, and returns the path under which it is followed. Replayed
// means that the same Idempotency-Key had it accepted before.
type Install func(ctx context.Context, p auth.Principal, pkg registry.Package, once idempotency.Once) (path string, replayed bool, err error)

func (h *servers) register(api huma.API) {
	h.registerList(api)
	h.registerShow(api)
	h.registerAdd(api)
	h.registerChange(api)
	h.registerRemove(api)
	h.registerEnable(api)
	h.registerTools(api)
	h.registerOverride(api)
	h.registerReview(api)
	h.registerImport(api)
	h.registerPublished(api)
	h.registerVersions(api)
}

// absent is how seed 001 says that there is no server of a name: one way for looking at it and switching it, another
// for changing it.
type absent string

const (
	absentServer absent = "Server %s not found"
	absentNamed  absent = "Server with name %s not found"
)

// find is a server that the caller may call.
func (h *servers) find(ctx context.Context, name string, none absent) (auth.Principal, *store.MCPServer, error) {
	p, err := principal(ctx)
	if err != nil {
		return p, nil, err
	}
	row, err := h.registry.ByName(ctx, p.Owner, name)
	if err == nil && row == nil {
		err = none.fault(name)
	}
	return p, row, err
}

func (a absent) fault(name string) error { return fault.New(fault.NotFound, string(a), cut(name)) }

// orAbsent says of a server that went while it was being changed what is said of one that never was.
func (a absent) orAbsent(err error, name string) error {
	if fault.Is(err, fault.NotFound) {
		return a.fault(name)
	}
	return err
}

// connectTime is how long an answer waits for a server that was just registered or switched on.
const connectTime = 10 * time.Second

// connect tries the server, so that its status tells the truth. One that is disabled is left alone.
func (h *servers) connect(ctx context.Context, p auth.Principal, row *store.MCPServer) error {
	if !row.Enabled {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, connectTime)
	defer cancel()
	_, err := h.registry.Connect(ctx, p.Owner, row)
	return err
}

// one is a server as it is now, with what has become of it.
func (h *servers) one(ctx context.Context, p auth.Principal, id int64) (Server, error) {
	row, err := h.registry.Server(ctx, p.Owner, id)
	if err != nil {
		return Server{}, err
	}
	if row == nil {
		return Server{}, fault.New(fault.NotFound, "no such server")
	}
	all, err := h.views(ctx, p, []*store.MCPServer{row})
	if err != nil {
		return Server{}, err
	}
	return all[0], nil
}

type serverBody struct {
	Success bool   `json:"success" doc:"Always true." example:"true"`
	Server  Server `json:"server" doc:"The server as it is now."`
}

type serverOutput struct{ Body serverBody }

type serverInput struct {
	Caller
	ServerNamed
}
