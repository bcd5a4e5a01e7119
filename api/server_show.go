package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"steward/internal/auth"
)

func (h *servers) registerShow(api huma.API) {
	handle(api, endpoint{
		Operation: huma.Operation{
			OperationID: "getServer", Method: http.MethodGet, Path: "/mcp/servers/{name}", Tags: []string{"servers"},
			Summary:     "Read an MCP server",
			Description: "As in the list.",
			Errors:      []int{http.StatusNotFound},
		},
		access: access{scope: auth.ServersRead}, answers: serverBody{Success: true, Server: exampleServer()},
	}, h.show)
}

func (h *servers) show(ctx context.Context, in *serverInput) (*serverOutput, error) {
	p, row, err := h.find(ctx, in.Name, absentServer)
	if err != nil {
		return nil, err
	}
	s, err := h.one(ctx, p, row.ID)
	return &serverOutput{Body: serverBody{Success: true, Server: s}}, absentServer.orAbsent(err, in.Name)
}
