package api

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"steward/internal/auth"
	"steward/internal/store"
)

// Checking is part of what shows packages.
type Checking struct {
	CheckUpdates bool `query:"checkUpdates" doc:"Ask the indexes for newer versions first; it takes seconds." example:"true"`
}

type packagesInput struct {
	Caller
	Checking

	Limit  int32  `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"How many packages at most." example:"50"`
	Cursor string `query:"cursor" maxLength:"64" doc:"next_cursor of the page before." example:"YmVmb3JlOjQy"`
}

type packagesBody struct {
	Success    bool      `json:"success" doc:"Always true." example:"true"`
	Packages   []Package `json:"packages" doc:"Newest first."`
	NextCursor *string   `json:"next_cursor" doc:"Where the next page begins; null on the last." example:"YmVmb3JlOjQy"`
}

type packagesOutput struct{ Body packagesBody }

type packageBody struct {
	Success bool    `json:"success" doc:"Always true." example:"true"`
	Package Package `json:"package" doc:"The package."`
}

type packageOutput struct{ Body packageBody }

type packageInput struct {
	Caller
	Checking
	PackageNamed
}

type packageOfServerInput struct {
	Caller
	Checking

	Name string `path:"name" maxLength:"128" doc:"The server's name." example:"memory"`
}

func (h *packages) registerList(api huma.API) {
	handle(api, endpoint{
		Operation: huma.Operation{
			OperationID: "listPackages", Method: http.MethodGet, Path: "/packages", Tags: []string{"packages"},
			Summary: "List installed packages", Description: "With those that are being installed, and those whose installation failed and why.",
		},
		access:  access{scope: auth.ServersAdmin},
		answers: packagesBody{Success: true, Packages: []Package{examplePackage()}},
	}, h.list)
}

func (h *packages) list(ctx context.Context, in *packagesInput) (*packagesOutput, error) {
	before, err := decodeCursor(in.Cursor)
	if err != nil {
		return nil, err
	}
	if in.CheckUpdates {
		if _, err := h.check(ctx, ""); err != nil {
			return nil, err
		}
	}
	rows, err := h.db.ListPackages(ctx)
	if err != nil {
		return nil, fmt.Errorf("list packages: %w", err)
	}
	out := &packagesOutput{Body: packagesBody{Success: true, Packages: []Package{}}}
	last := int64(0)
	for _, row := range slices.Backward(rows) {
		if row.Package.ID >= before {
			continue
		}
		if len(out.Body.Packages) == int(in.Limit) {
			out.Body.NextCursor = of(encodeCursor(last))
			break
		}
		last = row.Package.ID
		out.Body.Packages = append(out.Body.Packages, packageView(&row.Package, row.Enabled))
	}
	return out, nil
}

func (h *packages) registerByName(api huma.API) {
	handle(api, endpoint{
		Operation: huma.Operation{
			OperationID: "getPackage", Method: http.MethodGet, Path: "/packages/by-name/{name}", Tags: []string{"packages"},
			Summary: "Read a package by its own name", Description: "A name that packages of several servers have is a conflict: read those by their servers.",
			Errors: []int{http.StatusNotFound, http.StatusConflict},
		},
		access: access{scope: auth.ServersAdmin}, answers: packageBody{Success: true, Package: examplePackage()},
	}, func(ctx context.Context, in *packageInput) (*packageOutput, error) {
		_, row, err := h.find(ctx, in.PackageNamed)
		if err != nil {
			return nil, err
		}
		return h.one(ctx, row, in.CheckUpdates)
	})
}

func (h *packages) registerByServer(api huma.API) {
	handle(api, endpoint{
		Operation: huma.Operation{
			OperationID: "getPackageOfServer", Method: http.MethodGet, Path: "/packages/by-id/{name}", Tags: []string{"packages"},
			Summary: "Read a package by its server", Description: "Also how far an installation, an upgrade or a removal is.",
			Errors: []int{http.StatusNotFound},
		},
		access: access{scope: auth.ServersAdmin}, answers: packageBody{Success: true, Package: examplePackage()},
	}, func(ctx context.Context, in *packageOfServerInput) (*packageOutput, error) {
		name, err := PackageNamed{Name: in.Name}.name()
		if err != nil {
			return nil, err
		}
		row, err := h.service.FindServer(ctx, name)
		if err != nil {
			return nil, err
		}
		return h.one(ctx, row, in.CheckUpdates)
	})
}

// one shows a package, after asking its index if somebody wants that.
func (h *packages) one(ctx context.Context, row *store.FindPackagesRow, check bool) (*packageOutput, error) {
	if check {
		if _, err := h.check(ctx, row.Package.ServerName); err != nil {
			return nil, err
		}
		var err error
		if row, err = h.service.FindServer(ctx, row.Package.ServerName); err != nil {
			return nil, err
		}
	}
	return &packageOutput{Body: packageBody{Success: true, Package: packageView(&row.Package, row.Enabled)}}, nil
}
