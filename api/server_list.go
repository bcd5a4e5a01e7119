package api

import (
	"context"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"steward/internal/auth"
	"steward/internal/store"
)

type serversInput struct {
	Caller

	Limit  int32  `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"How many servers at most." example:"50"`
	Cursor string `query:"cursor" maxLength:"64" doc:"next_cursor of the page before." example:"YmVmb3JlOjQy"`
}

type serversBody struct {
	Success    bool     `json:"success" doc:"Always true." example:"true"`
	Servers    []Server `json:"servers" doc:"Newest first."`
	NextCursor *string  `json:"next_cursor" doc:"Where the next page begins; null on the last." example:"YmVmb3JlOjQy"`
}

type serversOutput struct{ Body serversBody }

func (h *servers) registerList(api huma.API) {
	handle(api, endpoint{
		Operation: huma.Operation{
			OperationID: "listServers", Method: http.MethodGet, Path: "/mcp/servers", Tags: []string{"servers"},
			Summary: "List MCP servers",
			Description: "One's own, and those that an admin has registered for everybody; disabled ones too. Nobody is asked anything: status, tools and " +
				"logs are as they were seen last.",
		},
		access:  access{scope: auth.ServersRead},
		answers: serversBody{Success: true, Servers: []Server{exampleServer()}, NextCursor: of(encodeCursor(3))},
	}, h.list)
}

func (h *servers) list(ctx context.Context, in *serversInput) (*serversOutput, error) {
	p, err := principal(ctx)
	if err != nil {
		return nil, err
	}
	before, err := decodeCursor(in.Cursor)
	if err != nil {
		return nil, err
	}
	visible, err := h.registry.Visible(ctx, p.Owner)
	if err != nil {
		return nil, err
	}
	out := &serversOutput{Body: serversBody{Success: true}}
	var page []*store.MCPServer
	for _, row := range slices.Backward(visible) {
		if row.ID >= before {
			continue
		}
		if len(page) == int(in.Limit) {
			out.Body.NextCursor = of(encodeCursor(page[len(page)-1].ID))
			break
		}
		page = append(page, row)
	}
	out.Body.Servers, err = h.views(ctx, p, page)
	return out, err
}
