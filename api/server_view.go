package api

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"steward/internal/auth"
	"steward/internal/registry"
	"steward/internal/store"
	"steward/internal/tool"
)

// Server is an MCP server that the caller may call. How an admin's server is reached, other users do not see: command,
// args, env, url and headers are empty for them.
type Server struct {
	ID            int64  `json:"id" doc:"Its number, which serves as its name too." example:"3"`
	Name          string `json:"name" doc:"Its name, unique for the caller." example:"mcp-github"`
	TransportType string `json:"transportType" enum:"stdio,streamable_http" doc:"A child of ours, or somewhere on the network. A server that speaks the SSE transport of 2024 is found out by itself." example:"stdio"`

	Command *string           `json:"command,omitempty" doc:"stdio: the program." example:"node"`
	Args    []string          `json:"args,omitzero" doc:"stdio: its arguments." example:"[\"index.js\",\"--port\",\"3000\"]"`
	Env     map[string]string `json:"env,omitzero" doc:"stdio: its environment. A secret value is shown as its secret_ref."`

	URL                 *string           `json:"url,omitempty" doc:"streamable_http: its endpoint." example:"https://example.com/mcp"`
	Headers             map[string]string `json:"headers,omitzero" doc:"streamable_http: static headers. A secret value is shown as its secret_ref."`
	ReconnectionOptions *Reconnection     `json:"reconnectionOptions,omitempty" doc:"streamable_http: how a broken stream is taken up again."`

	Status    string       `json:"status" enum:"connected,connecting,disconnected,error" doc:"How the caller has reached it last. A session that was closed because nobody used it changes nothing." example:"connected"`
	Error     string       `json:"error,omitempty" doc:"Why the status is error." example:"the server could not be started or reached"`
	StatusAt  *time.Time   `json:"status_at,omitempty" doc:"Since when."`
	Enabled   bool         `json:"enabled" doc:"Whether it can be called." example:"true"`
	ToolsList []ServerTool `json:"toolsList" doc:"Its tools as it offered them last."`
	Logs      []string     `json:"logs" doc:"The last lines that it wrote to stderr in the caller's own sessions, without secrets."`

	Title          string          `json:"title,omitempty" doc:"Its name for people." example:"GitHub"`
	Description    string          `json:"description" doc:"What it is good for." example:"Issues and pull requests."`
	WebsiteURL     string          `json:"website_url,omitempty" doc:"Where its publisher says more." example:"https://example.com"`
	DockerImageURL string          `json:"docker_image_url,omitempty" doc:"The image of its container." example:"mcp/filesystem:1.0.2"`
	Version        string          `json:"version,omitempty" doc:"Its publisher's version of it." example:"1.0.2"`
	Tags           []string        `json:"tags" doc:"Words to find it by." example:"[\"code\"]"`
	IsPublic       bool            `json:"is_public" doc:"Whether everybody may call it: an admin has registered it." example:"true"`
	Trusted        bool            `json:"trusted" doc:"Whether an admin believes what it says of its tools." example:"false"`
	EnvSchema      []InputField    `json:"env_schema" doc:"stdio: what its environment asks for."`
	HeaderSchema   []InputField    `json:"header_schema" doc:"streamable_http: what its headers ask for."`
	AuthProvider   string          `json:"auth_provider,omitempty" doc:"Whose credential each caller brings: google, or mcp/<id> for its own authorization server." example:"google"`
	Era            string          `json:"era,omitempty" enum:"modern,legacy" doc:"The half of the protocol's history that it speaks: modern is 2026-07-28 and later." example:"legacy"`
	Protocol       string          `json:"protocol_version,omitempty" doc:"The revision that was negotiated." example:"2025-11-25"`
	ServerInfo     json.RawMessage `json:"server_info,omitempty" doc:"What it says of itself."`
	TimeoutMS      int64           `json:"timeout_ms" doc:"How long one call may take, in milliseconds; 0: the service's default." example:"0"`
	CreatedAt      time.Time       `json:"created_at" doc:"When it was registered."`
	UpdatedAt      time.Time       `json:"updated_at" doc:"When it was changed last."`
}

// ServerTool is a tool in the list of a server.
type ServerTool struct {
	Name        string `json:"name" doc:"The tool." example:"create_issue"`
	Description string `json:"description" doc:"What it does, in the server's words." example:"Creates a new issue in a GitHub repository"`
	InputSchema object `json:"inputSchema" doc:"JSON Schema of its arguments."`
	State       string `json:"state" enum:"approved,quarantined,rejected" doc:"quarantined: its definition is another than was agreed to, and nobody calls it before somebody has looked." example:"approved"`
}

// Reconnection is the TypeScript SDK's settings of streams. What is 0 has its default.
type Reconnection struct {
	MaxReconnectionDelay        float64 `json:"maxReconnectionDelay,omitempty" minimum:"0" maximum:"3600000" doc:"No wait is longer, in milliseconds." example:"30000"`
	InitialReconnectionDelay    float64 `json:"initialReconnectionDelay,omitempty" minimum:"0" maximum:"3600000" doc:"The first wait, in milliseconds." example:"1000"`
	ReconnectionDelayGrowFactor float64 `json:"reconnectionDelayGrowFactor,omitempty" minimum:"1" maximum:"10" doc:"Each further wait is so many times as long." example:"1.5"`
	MaxRetries                  int     `json:"maxRetries,omitempty" minimum:"0" maximum:"100" doc:"Attempts without progress before the session is given up." example:"2"`
}

// views adds to rows how the caller has seen them, and their tools.
func (h *servers) views(ctx context.Context, p auth.Principal, rows []*store.MCPServer) ([]Server, error) {
	ids := make([]int64, len(rows))
	for i, row := range rows {
		ids[i] = row.ID
	}
	status, err := h.registry.Status(ctx, p.Owner, ids)
	if err != nil {
		return nil, err
	}
	listed, err := h.db.ListToolsOfServers(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("list tools of servers: %w", err)
	}
	tools := map[int64][]ServerTool{}
	for _, t := range listed {
		tools[t.ServerID] = append(tools[t.ServerID], serverTool(t.Name, t.Definition, t.State))
	}
	all := make([]Server, len(rows))
	for i, row := range rows {
		if all[i], err = h.view(p, row); err != nil {
			return nil, err
		}
		st := status[row.ID]
		all[i].Status, all[i].Error = st.State, st.Error
		if !st.At.IsZero() {
			all[i].StatusAt = &st.At
		}
		all[i].Logs = append([]string{}, st.Logs...)
		all[i].ToolsList = append([]ServerTool{}, tools[row.ID]...)
	}
	return all, nil
}

// view is what the row itself says.
func (h *servers) view(p auth.Principal, row *store.MCPServer) (Server, error) {
	said, err := h.registry.Show(row)
	if err != nil {
		return Server{}, err
	}
	s := Server{
		ID: row.ID, Name: row.Name, TransportType: "streamable_http", Enabled: row.Enabled, Title: row.Title, Description: row.Description,
		WebsiteURL: row.WebsiteURL, DockerImageURL: row.Image, Version: row.Release, Tags: row.Tags, IsPublic: row.Owner == nil, Trusted: row.Trusted,
		EnvSchema: inputFields(said.EnvSchema), HeaderSchema: inputFields(said.HeaderSchema), AuthProvider: row.AuthProvider, Era: row.Era,
		Protocol: row.ProtocolVersion, ServerInfo: row.ServerInfo, TimeoutMS: row.TimeoutMs, CreatedAt: row.CreatedAt, UpdatedAt: row.UpdatedAt,
	}
	command, args, url := row.Command, row.Args, row.URL
	if row.Owner == nil && !p.Can(auth.ServersAdmin) {
		command, args, url, said = "", []string{}, "", registry.Shown{Env: map[string]string{}, Headers: map[string]string{}}
	}
	if row.Transport == "stdio" {
		s.TransportType, s.Command, s.Args, s.Env = "stdio", &command, args, said.Env
		return s, nil
	}
	s.URL, s.Headers = &url, said.Headers
	if said.Reconnect != (registry.Reconnect{}) {
		pace := Reconnection{said.Reconnect.MaxDelay, said.Reconnect.InitialDelay, said.Reconnect.Grow, said.Reconnect.Retries}
		s.ReconnectionOptions = &pace
	}
	return s, nil
}

// Limits of what is shown of a tool.
const (
	maxToolName        = 128
	maxToolDescription = 4096
)

func serverTool(name string, definition json.RawMessage, state string) ServerTool {
	var said struct {
		Description string          `json:"description"`
		InputSchema json.RawMessage `json:"inputSchema"`
	}
	if json.Unmarshal(definition, &said) != nil || len(said.InputSchema) == 0 || said.InputSchema[0] != '{' {
		said.InputSchema = json.RawMessage(`{"type":"object"}`)
	}
	return ServerTool{
		Name: tool.Clean(name, maxToolName), Description: tool.Clean(said.Description, maxToolDescription), InputSchema: object(said.InputSchema), State: state,
	}
}
