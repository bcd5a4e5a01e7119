package api

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"steward/internal/auth"
	"steward/internal/fault"
	"steward/internal/idempotency"
	"steward/internal/registry"
)

type importBody struct {
	Server  object            `json:"server" doc:"The server.json, of the schema of 2025-12-11."`
	Name    string            `json:"name,omitempty" maxLength:"128" doc:"Its name here; default the part of its own behind the slash." example:"weather"`
	Values  map[string]string `json:"values,omitempty" maxProperties:"64" doc:"Values of the variables, headers, arguments and environment variables that it asks for, by name. Secrets are not among them: each user stores an own one with POST /secrets/set."`
	From    string            `json:"from,omitempty" enum:"remote,package" doc:"Which of both, where there are both; default remote: nothing runs here." example:"remote"`
	Enabled *bool             `json:"enabled,omitempty" doc:"Whether it can be called. Default true." example:"true"`

	UserID   string `json:"user_id,omitempty" maxLength:"255" doc:"For callers with an API key: for whom." example:"user_123"`
	Username string `json:"username,omitempty" maxLength:"255" doc:"The same as user_id." example:"user_123"`
}

type importInput struct {
	Caller

	IdempotencyKey string `header:"Idempotency-Key" maxLength:"257" doc:"Any visible ASCII, at most 255 bytes. For 24 hours the same key with the same body returns the same server; with another body it is refused." example:"9f1c2d3e-import"`
	Body           importBody
}

type importedBody struct {
	Success bool    `json:"success" doc:"Always true." example:"true"`
	Server  *Server `json:"server,omitempty" doc:"The server; left out while its package is being installed."`
}

type importOutput struct {
	Status   int
	Location string `header:"Location" doc:"Where to read the server, or how far its package is." example:"/mcp/servers/weather"`
	Replayed string `header:"Idempotency-Replayed" doc:"true when the key was known and the server, or its package, was accepted before." example:"true"`
	Body     importedBody
}

const exampleManifest = `{"$schema":"https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json","name":"com.example/weather",` +
	`"description":"Weather of everywhere","version":"1.0.2","remotes":[{"type":"streamable-http","url":"https://{region}.example.com/mcp",` +
	`"variables":{"region":{"choices":["eu","us"],"default":"eu"}},"headers":[{"name":"X-API-Key","isRequired":true,"isSecret":true}]}]}`

func (h *servers) registerImport(api huma.API) {
	const path = "/mcp/servers/import"
	handle(api, endpoint{
		Operation: huma.Operation{
			OperationID: "importServer", Method: http.MethodPost, Path: path, Tags: []string{"servers"},
			Summary: "Register an MCP server by its server.json",
			Description: "As the official registry describes servers. A remote is registered as `POST /mcp/servers` does it; a package, npm or PyPI over stdio, is " +
				"installed for an admin in its exact version: 202, and `Location` says how far it is. Containers and other kinds get 422.",
			DefaultStatus: http.StatusCreated,
			Errors:        []int{http.StatusConflict},
		},
		access:  access{scope: auth.ServersWrite, creates: true},
		asks:    importBody{Server: object(exampleManifest), Values: map[string]string{"region": "us"}},
		answers: importedBody{Success: true, Server: of(exampleServer())},
	}, h.imports)
	responses := api.OpenAPI().Paths[path].Post.Responses
	accepted := *responses["201"]
	accepted.Description = "Accepted"
	responses["202"] = &accepted
}

func (h *servers) imports(ctx context.Context, in *importInput) (*importOutput, error) {
	p, err := principalNamed(ctx, in.Body.UserID, in.Body.Username)
	if err != nil {
		return nil, err
	}
	asked := registry.Import{
		Manifest: json.RawMessage(in.Body.Server), Name: in.Body.Name, Values: in.Body.Values, Package: in.Body.From == "package",
		Disabled: in.Body.Enabled != nil && !*in.Body.Enabled,
	}
	s, pkg, err := asked.Read()
	if err != nil {
		return nil, err
	}
	once, err := onceOf("POST /mcp/servers/import", in.IdempotencyKey, in.Body)
	if err != nil {
		return nil, err
	}
	if pkg != nil {
		return h.installed(ctx, p, *pkg, once)
	}
	added, err := h.added(ctx, p, *s, once)
	if err != nil {
		return nil, err
	}
	body := importedBody{Success: true, Server: &added.Body.Server}
	return &importOutput{Status: http.StatusCreated, Location: added.Location, Replayed: added.Replayed, Body: body}, nil
}

func (h *servers) installed(ctx context.Context, p auth.Principal, pkg registry.Package, once idempotency.Once) (*importOutput, error) {
	if err := p.Require(auth.ServersAdmin); err != nil {
		return nil, err
	}
	if h.install == nil {
		return nil, fault.New(fault.Unavailable, "packages cannot be installed here").WithCode("packages_unavailable")
	}
	path, before, err := h.install(ctx, p, pkg, once)
	if err != nil {
		return nil, err
	}
	return &importOutput{Status: http.StatusAccepted, Location: path, Replayed: replayed(before), Body: importedBody{Success: true}}, nil
}
