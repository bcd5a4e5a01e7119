package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"steward/internal/auth"
	"steward/internal/install"
	"steward/internal/install/python"
	"steward/internal/secret"
)

type installBody struct {
	Name             string            `json:"name" minLength:"1" maxLength:"214" doc:"The package, by its name in the npm registry or the Python index: no address, path or range." example:"@modelcontextprotocol/server-memory"`
	Version          string            `json:"version,omitempty" maxLength:"128" doc:"One exact version. Left out or latest: the newest that is old enough (STEWARD_PACKAGE_MIN_AGE, npm), resolved once and kept." example:"2026.8.31"`
	ServerName       string            `json:"serverName" minLength:"1" maxLength:"64" doc:"The server that it is for, a new one: letters, digits, dots, dashes, underscores." example:"memory"`
	TransportType    string            `json:"transportType,omitempty" enum:"stdio,streamable_http" default:"stdio" doc:"streamable_http: the server runs elsewhere; url is registered and nothing is downloaded." example:"stdio"`
	Command          string            `json:"command,omitempty" maxLength:"4096" doc:"node or python, as runtime; it is chosen by the service and need not be given. streamable_http: ignored." example:"node"`
	Args             []string          `json:"args,omitempty" maxItems:"64" maxLength:"4096" doc:"Arguments behind the program's own." example:"[\"--option1\",\"--option2\"]"`
	Env              map[string]string `json:"env,omitempty" maxProperties:"64" doc:"Environment of the server. Secrets of users do not belong here: POST /secrets/set."`
	URL              string            `json:"url,omitempty" maxLength:"2048" doc:"streamable_http: its endpoint." example:"https://example.com/mcp"`
	Headers          map[string]string `json:"headers,omitempty" maxProperties:"64" doc:"streamable_http: static headers."`
	Enabled          *bool             `json:"enabled,omitempty" doc:"Whether it can be called. Default true." example:"true"`
	Runtime          string            `json:"runtime,omitempty" enum:"node,python" doc:"What runs it; default node." example:"node"`
	PythonModule     string            `json:"pythonModule,omitempty" maxLength:"128" doc:"Python, required: the module to run, or a console script." example:"my_mcp_server"`
	PythonArgs       []string          `json:"pythonArgs,omitempty" maxItems:"64" maxLength:"4096" doc:"Python: its arguments." example:"[\"--port\",\"0\"]"`
	PipIndexURL      string            `json:"pipIndexUrl,omitempty" writeOnly:"true" maxLength:"2048" doc:"Python: the index to use, kept sealed for upgrades and update checks; it may hold credentials and is never shown." example:"https://pypi.example.com/simple"`
	PipExtraIndexURL string            `json:"pipExtraIndexUrl,omitempty" writeOnly:"true" maxLength:"2048" doc:"Python: an index beside it, likewise." example:"https://pypi.example.com/simple"`

	UserID   string `json:"user_id,omitempty" maxLength:"255" doc:"For callers with an API key: for whom." example:"user_123"`
	Username string `json:"username,omitempty" maxLength:"255" doc:"The same as user_id." example:"user_123"`
}

type installInput struct {
	Caller
	Patience

	IdempotencyKey string `header:"Idempotency-Key" maxLength:"257" doc:"Any visible ASCII, at most 255 bytes. For 24 hours the same key with the same body, values of env and headers and indexes aside, returns the same package; with another body it is refused." example:"9f1c2d3e-memory"`
	Body           installBody
}

func (h *packages) registerInstall(api huma.API) {
	const path = "/packages/install"
	handle(api, endpoint{
		Operation: huma.Operation{
			OperationID: "installPackage", Method: http.MethodPost, Path: path, Tags: []string{"packages"},
			Summary: "Install an MCP server from a package",
			Description: "In an exact version, into a folder of its own, without running any of its scripts (Python: from wheels alone, by their hashes); then it is " +
				"started and asked for its tools, and only then registered. Every file is sealed: a server whose files have changed is not started. The " +
				"installation goes on when its caller hangs up, and over restarts.",
			DefaultStatus: http.StatusOK,
			Errors:        []int{http.StatusConflict, http.StatusBadGateway},
		},
		access: access{scope: auth.ServersAdmin, creates: true},
		asks: installBody{
			Name: "@modelcontextprotocol/server-memory", Version: "2026.8.31", ServerName: "memory", TransportType: "stdio",
			Env: map[string]string{"NODE_ENV": "production"},
		},
		answers: packageChangedBody{Success: true, Package: of(examplePackage()), Server: of(exampleServer())},
	}, h.install)
	accepted(api.OpenAPI().Paths[path].Post)
}

func (h *packages) install(ctx context.Context, in *installInput) (*packageChangedOutput, error) {
	p, err := principalNamed(ctx, in.Body.UserID, in.Body.Username)
	if err != nil {
		return nil, err
	}
	r := in.Body.request()
	if r.Once, err = onceOf("POST /packages/install", in.IdempotencyKey, in.Body.said()); err != nil {
		return nil, err
	}
	c, err := h.service.Install(ctx, p, r)
	if err != nil {
		return nil, err
	}
	return h.answer(ctx, p, c, r.ServerName, in.Patience)
}

// said is the body without what may be secret, and without its user, who may stand in the query as well.
func (b installBody) said() installBody {
	b.Env, b.Headers, b.PipIndexURL, b.PipExtraIndexURL = unvalued(b.Env), unvalued(b.Headers), "", ""
	b.UserID, b.Username = "", ""
	return b
}

func (b *installBody) request() install.Request {
	return install.Request{
		Name: b.Name, Version: b.Version, ServerName: b.ServerName, Transport: b.TransportType, Command: b.Command, Args: b.Args, Env: sealed(b.Env),
		URL: b.URL, Headers: sealed(b.Headers), Enabled: b.Enabled == nil || *b.Enabled, Runtime: b.Runtime, PythonModule: b.PythonModule,
		PythonArgs: b.PythonArgs, Index: python.Index{URL: secret.New(b.PipIndexURL), Extra: secret.New(b.PipExtraIndexURL)},
	}
}

// sealed wraps values that may be secrets before they go any further.
func sealed(values map[string]string) map[string]secret.String {
	if values == nil {
		return nil
	}
	out := make(map[string]secret.String, len(values))
	for name, v := range values {
		out[name] = secret.New(v)
	}
	return out
}
