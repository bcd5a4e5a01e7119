package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"steward/internal/auth"
	"steward/internal/idempotency"
	"steward/internal/registry"
)

type addServerBody struct {
	Name     string `json:"name" minLength:"1" maxLength:"128" doc:"Its name, unique among the servers that the caller sees: letters, digits and . _ -, no number." example:"remote-http-server"`
	IsPublic *bool  `json:"is_public,omitempty" doc:"Admins: whether everybody may call it; default true. A user's server is the user's alone." example:"false"`
	ServerSettings
}

type addServerInput struct {
	Caller

	IdempotencyKey string `header:"Idempotency-Key" maxLength:"257" doc:"Any visible ASCII, at most 255 bytes. For 24 hours the same key with the same body, values of env and headers aside, returns the same server; with another body it is refused." example:"9f1c2d3e-server"`
	Body           addServerBody
}

type addServerOutput struct {
	Location string `header:"Location" doc:"Where to read the server." example:"/mcp/servers/remote-http-server"`
	Replayed string `header:"Idempotency-Replayed" doc:"true when the key was known and the server was added before." example:"true"`
	Body     serverBody
}

const serversPath = "/mcp/servers/"

func (h *servers) registerAdd(api huma.API) {
	handle(api, endpoint{
		Operation: huma.Operation{
			OperationID: "addServer", Method: http.MethodPost, Path: "/mcp/servers", Tags: []string{"servers"},
			Summary: "Register an MCP server",
			Description: "An admin's server can be called by everybody, unless `is_public` is false; a user's by that user alone. What runs on this machine " +
				"(`command`, `args`, `env`, `docker_image_url`) needs an admin. The server is tried for up to 10 seconds before the answer, and `status` says " +
				"what came of it: a server that could not be reached is registered all the same. The tools that it offers then are taken as agreed to; " +
				"later changes of them are quarantined. Private addresses get 422 with code `egress_denied` unless the operator allows them.",
			DefaultStatus: http.StatusCreated,
			Errors:        []int{http.StatusConflict},
		},
		access: access{scope: auth.ServersWrite, creates: true},
		asks: addServerBody{Name: "remote-http-server", ServerSettings: ServerSettings{
			TransportType: "streamable_http", URL: of("https://example.com/mcp"), Headers: map[string]string{"X-Custom-Header": "value"}, Enabled: of(true),
		}},
		answers: serverBody{Success: true, Server: exampleServer()},
	}, h.add)
}

func (h *servers) add(ctx context.Context, in *addServerInput) (*addServerOutput, error) {
	p, err := principalNamed(ctx, in.Body.UserID, in.Body.Username)
	if err != nil {
		return nil, err
	}
	if err := in.Body.permit(p); err != nil {
		return nil, err
	}
	if in.Body.IsPublic != nil && *in.Body.IsPublic {
		if err := p.Require(auth.ServersAdmin); err != nil {
			return nil, err
		}
	}
	s, err := in.Body.server()
	if err != nil {
		return nil, err
	}
	once, err := onceOf("POST /mcp/servers", in.IdempotencyKey, in.Body.said())
	if err != nil {
		return nil, err
	}
	return h.added(ctx, p, s, once)
}

// said is the body without what may be secret.
func (b addServerBody) said() addServerBody {
	b.Env, b.Headers, b.SessionID = unvalued(b.Env), unvalued(b.Headers), ""
	return b
}

// added registers a server and tries it.
func (h *servers) added(ctx context.Context, p auth.Principal, s registry.Server, once idempotency.Once) (*addServerOutput, error) {
	row, before, err := h.registry.Add(ctx, p, s, once)
	if err != nil {
		return nil, err
	}
	if !before {
		if err := h.connect(ctx, p, row); err != nil {
			return nil, err
		}
	}
	out := &addServerOutput{Location: serversPath + row.Name, Replayed: replayed(before)}
	out.Body.Success = true
	out.Body.Server, err = h.one(ctx, p, row.ID)
	return out, err
}

// server is what a body without a server before it asks for.
func (b *addServerBody) server() (registry.Server, error) {
	s := registry.Server{Name: b.Name, Transport: "stdio", Private: b.IsPublic != nil && !*b.IsPublic}
	if b.TransportType == "" && b.URL != nil && b.Command == nil {
		s.Transport = "http"
	}
	patch, err := b.patch()
	if err != nil {
		return s, err
	}
	patch.Apply(&s)
	return s, nil
}
