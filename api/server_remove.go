package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"steward/internal/auth"
)

func (h *servers) registerRemove(api huma.API) {
	handle(api, endpoint{
		Operation: huma.Operation{
			OperationID: "removeServer", Method: http.MethodDelete, Path: "/mcp/servers/{name}", Tags: []string{"servers"},
			Summary: "Remove an MCP server",
			Description: "With everything that was saved for it, by whomever. Its sessions take no new requests; runs that have called it keep their records. The " +
				"server of an installed package gets 409: uninstall the package.",
			Errors: []int{http.StatusNotFound, http.StatusConflict},
		},
		access: access{scope: auth.ServersWrite}, answers: doneBody{Success: true},
	}, h.remove)
}

func (h *servers) remove(ctx context.Context, in *serverInput) (*doneOutput, error) {
	p, row, err := h.find(ctx, in.Name, absentNamed)
	if err != nil {
		return nil, err
	}
	if err := h.registry.Remove(ctx, p, row.ID); err != nil {
		return nil, absentNamed.orAbsent(err, in.Name)
	}
	return &doneOutput{Body: doneBody{Success: true}}, nil
}
