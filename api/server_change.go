package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"steward/internal/auth"
)

type changeServerInput struct {
	Caller
	ServerNamed

	Body ServerSettings
}

func (h *servers) registerChange(api huma.API) {
	handle(api, endpoint{
		Operation: huma.Operation{
			OperationID: "changeServer", Method: http.MethodPut, Path: "/mcp/servers/{name}", Tags: []string{"servers"},
			Summary: "Change an MCP server",
			Description: "Only what is given is changed; maps and lists are replaced whole. Sessions with the settings before take no new requests, in every " +
				"process, and unless `enabled` is false the server is tried with the new ones. With another `url` everything that was saved for the one before " +
				"is forgotten, whoever saved it: headers, tokens and secrets only go where they were saved for. A server that is reached another way is " +
				"another server: its tools are taken as they are first seen then.",
			Errors: []int{http.StatusNotFound, http.StatusConflict},
		},
		access: access{scope: auth.ServersWrite},
		asks: ServerSettings{
			TransportType: "streamable_http", URL: of("https://example.com/mcp"), Headers: map[string]string{"X-Custom-Header": "value"},
			ReconnectionOptions: &Reconnection{30000, 1000, 1.5, 2},
		},
		answers: serverBody{Success: true, Server: exampleServer()},
	}, h.change)
}

func (h *servers) change(ctx context.Context, in *changeServerInput) (*serverOutput, error) {
	if _, err := principalNamed(ctx, in.Body.UserID, in.Body.Username); err != nil {
		return nil, err
	}
	p, row, err := h.find(ctx, in.Name, absentNamed)
	if err != nil {
		return nil, err
	}
	if err := in.Body.permit(p); err != nil {
		return nil, err
	}
	patch, err := in.Body.patch()
	if err != nil {
		return nil, err
	}
	changed, err := h.registry.Change(ctx, p, row.ID, patch)
	if err != nil {
		return nil, absentNamed.orAbsent(err, in.Name)
	}
	if err := h.connect(ctx, p, changed); err != nil {
		return nil, err
	}
	s, err := h.one(ctx, p, row.ID)
	return &serverOutput{Body: serverBody{Success: true, Server: s}}, absentNamed.orAbsent(err, in.Name)
}
