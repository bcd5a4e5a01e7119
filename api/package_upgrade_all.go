package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"steward/internal/auth"
	"steward/internal/fault"
	"steward/internal/install"
	"steward/internal/store"
)

type upgradeAllInput struct {
	Caller
	Patience
}

// Upgraded is what became of one package.
type Upgraded struct {
	ServerName string `json:"serverName" doc:"The server." example:"memory"`
	Success    bool   `json:"success" doc:"Whether it has the newest version now." example:"true"`
	Error      string `json:"error,omitempty" doc:"Why not; what ran before goes on running." example:"the package does not answer as an MCP server"`
	Pending    bool   `json:"pending,omitempty" doc:"It is still under way: GET /packages/by-id/{name} says how far." example:"true"`
}

type upgradeAllBody struct {
	Success bool       `json:"success" doc:"Always true: each result has its own." example:"true"`
	Results []Upgraded `json:"results" doc:"One for each installed package that has an index."`
}

type upgradeAllOutput struct {
	Status int
	Body   upgradeAllBody
}

func (h *packages) registerUpgradeAll(api huma.API) {
	const path = "/packages/upgrade-all"
	handle(api, endpoint{
		Operation: huma.Operation{
			OperationID: "upgradeAllPackages", Method: http.MethodPut, Path: path, Tags: []string{"packages"},
			Summary: "Put the newest version of every package in place",
			Description: "Each by itself, as `PUT /packages/{name}/upgrade` does it; those that have the newest version are left alone. 202 when some are still " +
				"under way after 100 s.",
			DefaultStatus: http.StatusOK,
		},
		access: access{scope: auth.ServersAdmin},
		answers: upgradeAllBody{Success: true, Results: []Upgraded{
			{ServerName: "memory", Success: true}, {ServerName: "files", Error: "the package does not answer as an MCP server"},
		}},
	}, h.upgradeAll)
	accepted(api.OpenAPI().Paths[path].Put)
}

func (h *packages) upgradeAll(ctx context.Context, in *upgradeAllInput) (*upgradeAllOutput, error) {
	p, err := principal(ctx)
	if err != nil {
		return nil, err
	}
	until := time.Now().Add(in.limit())
	before, err := h.check(ctx, "")
	if err != nil {
		return nil, err
	}
	rows, err := h.installed(ctx, "")
	if err != nil {
		return nil, err
	}
	out := &upgradeAllOutput{Status: http.StatusOK, Body: upgradeAllBody{Success: true, Results: make([]Upgraded, len(rows))}}
	changes := make([]*install.Change, len(rows))
	for i, row := range rows {
		if !before.renewed(row) {
			out.Body.Results[i] = Upgraded{ServerName: row.ServerName, Error: "its index has not answered"}
			continue
		}
		out.Body.Results[i] = Upgraded{ServerName: row.ServerName, Success: true}
		if !install.Newer(row) {
			continue
		}
		c, err := h.service.Upgrade(ctx, p, row, row.Latest)
		if err != nil {
			out.Body.Results[i] = Upgraded{ServerName: row.ServerName, Error: fault.Text(err)}
			continue
		}
		changes[i] = &c
	}
	for i, c := range changes {
		if c == nil {
			continue
		}
		if out.Body.Results[i], err = h.upgraded(ctx, *c, rows[i], time.Until(until)); err != nil {
			return nil, err
		}
		if out.Body.Results[i].Pending {
			out.Status = http.StatusAccepted
		}
	}
	return out, nil
}

// upgraded waits for one upgrade.
func (h *packages) upgraded(ctx context.Context, c install.Change, row *store.Package, limit time.Duration) (Upgraded, error) {
	done, err := h.service.Wait(ctx, c, max(limit, 0))
	out := Upgraded{ServerName: row.ServerName, Pending: !done.Done, Success: done.Done && done.Err == nil}
	if done.Err != nil {
		out.Error = fault.Text(done.Err)
	}
	return out, err
}
