package api

import (
	"encoding/json"
	"time"

	"steward/internal/auth"
	"steward/internal/registry"
	"steward/internal/secret"
)

// ServerSettings are the fields that adding and changing a server share. What is left out is left as it is, or has its
// default. Values of env and headers are sealed on receipt.
type ServerSettings struct {
	TransportType string            `json:"transportType,omitempty" enum:"stdio,streamable_http" doc:"stdio or streamable_http; left out of a new server it is stdio, unless there is a url and no command." example:"streamable_http"`
	Command       *string           `json:"command,omitempty" maxLength:"4096" doc:"stdio, admins: the program, by its path or its name. It is started without a shell. Packages from an index are installed with POST /packages/install instead." example:"node"`
	Args          []string          `json:"args,omitempty" maxItems:"64" doc:"stdio, admins: its arguments." example:"[\"index.js\"]"`
	Env           map[string]string `json:"env,omitempty" maxProperties:"64" doc:"stdio, admins: its environment, in place of what was saved; a secret_ref as it was read keeps its value. MCP_AUTH_TYPE: OAUTH2_GOOGLE makes it work with each user's own Google account."`

	URL                 *string           `json:"url,omitempty" maxLength:"2048" doc:"streamable_http: its endpoint. Users name public https addresses." example:"https://example.com/mcp"`
	Headers             map[string]string `json:"headers,omitempty" maxProperties:"32" doc:"streamable_http: static headers, in place of those saved; a secret_ref as it was read keeps its value. Tokens of OAuth belong into POST …/oauth."`
	SessionID           string            `json:"sessionId,omitempty" writeOnly:"true" maxLength:"1024" doc:"streamable_http: a session to go on with. It is sealed and never shown." example:"1868a90c"`
	ReconnectionOptions *Reconnection     `json:"reconnectionOptions,omitempty" doc:"streamable_http: how a broken stream is taken up again."`

	Enabled        *bool        `json:"enabled,omitempty" doc:"Whether it can be called. Default true." example:"true"`
	Title          *string      `json:"title,omitempty" maxLength:"200" doc:"Its name for people." example:"GitHub"`
	Description    *string      `json:"description,omitempty" maxLength:"4096" doc:"What it is good for." example:"Issues and pull requests."`
	WebsiteURL     *string      `json:"website_url,omitempty" maxLength:"2048" doc:"Where its publisher says more." example:"https://example.com"`
	DockerImageURL *string      `json:"docker_image_url,omitempty" maxLength:"255" doc:"Admins: the image of its container." example:"mcp/filesystem:1.0.2"`
	Version        *string      `json:"version,omitempty" maxLength:"128" doc:"Its publisher's version of it." example:"1.0.2"`
	Tags           []string     `json:"tags,omitempty" maxItems:"32" doc:"Words to find it by." example:"[\"code\"]"`
	EnvSchema      []InputField `json:"env_schema,omitempty" maxItems:"64" doc:"stdio, admins: what its environment asks for. Secrets come from each user."`
	HeaderSchema   []InputField `json:"header_schema,omitempty" maxItems:"64" doc:"streamable_http: what its headers ask for."`
	AuthProvider   *string      `json:"auth_provider,omitempty" enum:",google" doc:"Admins: whose credential each caller brings as bearer token." example:"google"`
	Trusted        *bool        `json:"trusted,omitempty" doc:"Admins: whether to believe what it says of its tools." example:"false"`
	TimeoutMS      *int64       `json:"timeout_ms,omitempty" minimum:"0" maximum:"240000" doc:"How long one call may take, 4 minutes at most; 0: the service's default." example:"0"`

	UserID   string `json:"user_id,omitempty" maxLength:"255" doc:"For callers with an API key: for whom." example:"user_123"`
	Username string `json:"username,omitempty" maxLength:"255" doc:"The same as user_id." example:"user_123"`
}

// patch is what is given.
func (b *ServerSettings) patch() (registry.Patch, error) {
	c := registry.Patch{
		Title: b.Title, Description: b.Description, WebsiteURL: b.WebsiteURL, Release: b.Version, Image: b.DockerImageURL, Command: b.Command,
		URL: b.URL, Trusted: b.Trusted, Enabled: b.Enabled, AuthProvider: b.AuthProvider, SessionID: secret.New(b.SessionID),
		Env: sealable(b.Env), Headers: sealable(b.Headers),
	}
	switch b.TransportType {
	case "stdio":
		c.Transport = of("stdio")
	case "streamable_http":
		c.Transport = of("http")
	}
	if b.Args != nil {
		c.Args = &b.Args
	}
	if b.Tags != nil {
		c.Tags = &b.Tags
	}
	if b.TimeoutMS != nil {
		c.Timeout = of(time.Duration(*b.TimeoutMS) * time.Millisecond)
	}
	if r := b.ReconnectionOptions; r != nil {
		c.Reconnect = &registry.Reconnect{
			MaxDelay: r.MaxReconnectionDelay, InitialDelay: r.InitialReconnectionDelay, Grow: r.ReconnectionDelayGrowFactor, Retries: r.MaxRetries,
		}
	}
	env, err := fields("body.env_schema", b.EnvSchema)
	if err != nil {
		return c, err
	}
	if env != nil {
		c.EnvSchema = &env
	}
	headers, err := fields("body.header_schema", b.HeaderSchema)
	if headers != nil {
		c.HeaderSchema = &headers
	}
	return c, err
}

func sealable(given map[string]string) *map[string]secret.String {
	if given == nil {
		return nil
	}
	values := make(map[string]secret.String, len(given))
	for name, v := range given {
		values[name] = secret.New(v)
	}
	return &values
}

// privileged says whether something is asked for that only an admin may have. It is answered before the request is
// looked at further: who may not learns nothing about what is valid.
func (b *ServerSettings) privileged() bool {
	given := func(s *string) bool { return s != nil && *s != "" }
	return given(b.Command) || len(b.Args) > 0 || len(b.Env) > 0 || len(b.EnvSchema) > 0 || given(b.DockerImageURL) || given(b.AuthProvider) ||
		b.Trusted != nil && *b.Trusted
}

func (b *ServerSettings) permit(p auth.Principal) error {
	if b.privileged() {
		return p.Require(auth.ServersAdmin)
	}
	return nil
}

// exampleServer is seed 001's.
func exampleServer() Server {
	return Server{
		ID: 3, Name: "mcp-github", TransportType: "stdio", Command: of("./node_modules/@missionsquad/mcp-github/build/index.js"),
		Args: []string{"--port", "3000"}, Env: map[string]string{"NODE_ENV": "production"}, Status: "connected", StatusAt: &exampleTime, Enabled: true,
		ToolsList: []ServerTool{{
			Name: "create_issue", Description: "Creates a new issue in a GitHub repository", InputSchema: object(exampleIssueSchema), State: "approved",
		}},
		Logs: []string{}, Tags: []string{}, IsPublic: true, EnvSchema: []InputField{}, HeaderSchema: []InputField{}, Era: "legacy", Protocol: "2025-11-25",
		ServerInfo: json.RawMessage(`{"name":"mcp-github","version":"1.4.0"}`), CreatedAt: exampleTime, UpdatedAt: exampleTime,
	}
}
