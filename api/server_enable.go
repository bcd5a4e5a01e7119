package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"steward/internal/auth"
)

func (h *servers) registerEnable(api huma.API) {
	handle(api, endpoint{
		Operation: huma.Operation{
			OperationID: "enableServer", Method: http.MethodPut, Path: "/mcp/servers/{name}/enable", Tags: []string{"servers"},
			Summary:     "Let an MCP server be called",
			Description: "It is tried for up to 10 seconds before the answer, and `status` says what came of it.",
			Errors:      []int{http.StatusNotFound, http.StatusConflict},
		},
		access: access{scope: auth.ServersWrite}, answers: serverBody{Success: true, Server: exampleServer()},
	}, func(ctx context.Context, in *serverInput) (*serverOutput, error) { return h.enable(ctx, in, true) })
	off := exampleServer()
	off.Status, off.Enabled = "disconnected", false
	handle(api, endpoint{
		Operation: huma.Operation{
			OperationID: "disableServer", Method: http.MethodPut, Path: "/mcp/servers/{name}/disable", Tags: []string{"servers"},
			Summary:     "Let an MCP server not be called",
			Description: "Its settings stay. Sessions take no new requests, in every process.",
			Errors:      []int{http.StatusNotFound, http.StatusConflict},
		},
		access: access{scope: auth.ServersWrite}, answers: serverBody{Success: true, Server: off},
	}, func(ctx context.Context, in *serverInput) (*serverOutput, error) { return h.enable(ctx, in, false) })
}

func (h *servers) enable(ctx context.Context, in *serverInput, enabled bool) (*serverOutput, error) {
	p, row, err := h.find(ctx, in.Name, absentServer)
	if err != nil {
		return nil, err
	}
	changed, err := h.registry.SetEnabled(ctx, p, row.ID, enabled)
	if err != nil {
		return nil, absentServer.orAbsent(err, in.Name)
	}
	if err := h.connect(ctx, p, changed); err != nil {
		return nil, err
	}
	s, err := h.one(ctx, p, row.ID)
	return &serverOutput{Body: serverBody{Success: true, Server: s}}, absentServer.orAbsent(err, in.Name)
}
