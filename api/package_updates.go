package api

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"steward/internal/auth"
	"steward/internal/fault"
	"steward/internal/install"
	"steward/internal/store"
)

type updatesInput struct {
	Caller

	Name string `query:"name" maxLength:"128" doc:"One server alone, by name." example:"memory"`
}

// Update is what the index of an installed package offers.
type Update struct {
	ServerName      string `json:"serverName" doc:"The server." example:"memory"`
	CurrentVersion  string `json:"currentVersion" doc:"What runs." example:"2026.7.4"`
	LatestVersion   string `json:"latestVersion" doc:"The newest that is old enough." example:"2026.8.31"`
	UpdateAvailable bool   `json:"updateAvailable" doc:"Whether that is newer." example:"true"`

	LatestCheckedAt *time.Time `json:"latestCheckedAt,omitempty" doc:"When the index answered last."`
}

type updatesBody struct {
	Success bool     `json:"success" doc:"Always true." example:"true"`
	Updates []Update `json:"updates" doc:"One for each installed package that has an index."`
}

type updatesOutput struct{ Body updatesBody }

func (h *packages) registerUpdates(api huma.API) {
	handle(api, endpoint{
		Operation: huma.Operation{
			OperationID: "listPackageUpdates", Method: http.MethodGet, Path: "/packages/updates", Tags: []string{"packages"},
			Summary: "Ask the indexes for newer versions", Description: "Nothing is upgraded by itself.",
			Errors: []int{http.StatusNotFound},
		},
		access:  access{scope: auth.ServersAdmin},
		answers: updatesBody{Success: true, Updates: []Update{{"memory", "2026.7.4", "2026.8.31", true, after(0)}}},
	}, h.updates)
}

func (h *packages) updates(ctx context.Context, in *updatesInput) (*updatesOutput, error) {
	if _, err := h.check(ctx, in.Name); err != nil {
		return nil, err
	}
	rows, err := h.installed(ctx, in.Name)
	if err != nil {
		return nil, err
	}
	out := &updatesOutput{Body: updatesBody{Success: true, Updates: make([]Update, len(rows))}}
	for i, row := range rows {
		out.Body.Updates[i] = Update{row.ServerName, row.Version, row.Latest, install.Newer(row), row.LatestAt}
	}
	return out, nil
}

// lastWords is when the indexes of packages answered last, by package.
type lastWords map[int64]*time.Time

// renewed says that a package's index has answered since. Both times are the database's, whose clock may not be ours.
func (l lastWords) renewed(row *store.Package) bool {
	before := l[row.ID]
	return row.LatestAt != nil && (before == nil || row.LatestAt.After(*before))
}

// check asks the indexes of all installed packages, or of that of one server, and says when they had answered before.
// An index that does not answer keeps nobody from reading what it said last; latestCheckedAt tells when that was.
func (h *packages) check(ctx context.Context, server string) (lastWords, error) {
	rows, err := h.installed(ctx, server)
	if err != nil {
		return nil, err
	}
	before, ids := lastWords{}, make([]int64, len(rows))
	for i, row := range rows {
		before[row.ID], ids[i] = row.LatestAt, row.ID
	}
	if err := h.service.Check(ctx, ids...); err != nil && !fault.Is(err, fault.Upstream) {
		return nil, err
	}
	return before, nil
}

// installed lists the packages that have an index: of all servers, or of one.
func (h *packages) installed(ctx context.Context, server string) ([]*store.Package, error) {
	if server != "" {
		row, err := h.service.FindServer(ctx, server)
		if err != nil {
			return nil, err
		}
		return indexed(&row.Package), nil
	}
	rows, err := h.db.ListPackages(ctx)
	if err != nil {
		return nil, fmt.Errorf("list packages: %w", err)
	}
	var out []*store.Package
	for _, row := range rows {
		out = append(out, indexed(&row.Package)...)
	}
	return out, nil
}

// indexed is the package if it is installed from an index.
func indexed(row *store.Package) []*store.Package {
	if row.Runtime == install.Remote || row.InstalledAt == nil {
		return nil
	}
	return []*store.Package{row}
}
