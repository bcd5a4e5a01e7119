package api

import (
	"context"
	"net/url"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"steward/internal/auth"
	"steward/internal/fault"
	"steward/internal/install"
	"steward/internal/store"
)

// packages serves /packages: MCP servers that are installed from npm and Python indexes (seed 001).
type packages struct {
	db      *store.DB
	service *install.Service
	servers *servers
}

func (h *packages) register(api huma.API) {
	h.registerInstall(api)
	h.registerList(api)
	h.registerByName(api)
	h.registerByServer(api)
	h.registerUpdates(api)
	h.registerUpgradeAll(api)
	h.registerUpgrade(api)
	h.registerRemove(api)
}

// patience is how long an answer waits for a change before it says where to look.
const patience = 100 * time.Second

func packagePath(server string) string { return "/packages/by-id/" + url.PathEscape(server) }

// PackageNamed is a name in a path. That of an npm package holds a slash: it may stand as it is, or as %2F.
type PackageNamed struct {
	Name string `path:"name" maxLength:"640" doc:"The package's name, or where several servers have one of the same name its server's. @scope/name may be written with a plain slash or with %2F." example:"@modelcontextprotocol/server-memory"`
}

func (n PackageNamed) name() (string, error) {
	name, err := url.PathUnescape(n.Name)
	if err != nil {
		return "", fault.InvalidField("path.name", "is not escaped as a path's part is")
	}
	return name, nil
}

// find is the package that a path names.
func (h *packages) find(ctx context.Context, n PackageNamed) (auth.Principal, *store.FindPackagesRow, error) {
	p, err := principal(ctx)
	if err != nil {
		return p, nil, err
	}
	name, err := n.name()
	if err != nil {
		return p, nil, err
	}
	row, err := h.service.Find(ctx, name)
	return p, row, err
}

// Patience is part of every change: how long its caller waits.
type Patience struct {
	// A text, because Huma takes a false for a value that was not given and puts the default in its place.
	Wait string `query:"wait" enum:"true,false" default:"true" doc:"Wait for the end, up to 100 s. If not, or when it takes longer: 202, and Location says how far it is." example:"true"`
}

// limit is how long to wait.
func (p Patience) limit() time.Duration {
	if p.Wait == "false" {
		return 0
	}
	return patience
}

type packageChangedBody struct {
	Success bool     `json:"success" doc:"Always true." example:"true"`
	Package *Package `json:"package,omitempty" doc:"The package as it is now; its status and stage say how far a change is. Left out once it is removed."`
	Server  *Server  `json:"server,omitempty" doc:"The server that it is for; left out while it is not installed."`
}

type packageChangedOutput struct {
	Status   int
	Location string `header:"Location" doc:"Where to read how far it is." example:"/packages/by-id/memory"`
	Replayed string `header:"Idempotency-Replayed" doc:"true when the key was known and the package was accepted before." example:"true"`
	Body     packageChangedBody
}

// accepted documents the 202 of an operation that also answers 200.
func accepted(o *huma.Operation) {
	later := *o.Responses["200"]
	later.Description = "Accepted: it goes on, and Location says how far it is."
	o.Responses["202"] = &later
}

// answer waits for a change, if the caller does, and shows what has become of it.
func (h *packages) answer(ctx context.Context, p auth.Principal, c install.Change, server string, w Patience) (*packageChangedOutput, error) {
	done, err := h.service.Wait(ctx, c, w.limit())
	if err != nil {
		return nil, err
	}
	if done.Err != nil {
		return nil, done.Err
	}
	out := &packageChangedOutput{Status: 200, Location: packagePath(server), Replayed: replayed(c.Replayed), Body: packageChangedBody{Success: true}}
	if !done.Done {
		out.Status = 202
	}
	if done.Package == nil {
		out.Location = ""
		return out, nil
	}
	return out, h.show(ctx, p, done, &out.Body)
}

// show fills in the package and, once it is installed, its server, which is tried first so that its status is true.
func (h *packages) show(ctx context.Context, p auth.Principal, done install.Outcome, body *packageChangedBody) error {
	row := done.Package
	if row.ServerID == nil {
		view := packageView(row, false)
		body.Package = &view
		return nil
	}
	server, err := h.servers.registry.Server(ctx, p.Owner, *row.ServerID)
	if err != nil {
		return err
	}
	if server == nil { // it went in the meantime
		view := packageView(row, false)
		body.Package = &view
		return nil
	}
	if done.Done {
		if err := h.servers.connect(ctx, p, server); err != nil {
			return err
		}
	}
	view := packageView(row, server.Enabled)
	body.Package = &view
	shown, err := h.servers.one(ctx, p, server.ID)
	body.Server = &shown
	return err
}
