package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"steward/internal/auth"
	"steward/internal/automation"
	"steward/internal/connector"
	"steward/internal/registry"
	"steward/internal/tool"
)

// actions serves /api/tools: everything that a user can call, whatever it is a tool of, and calls of it outside runs
// (seed 002).
type actions struct {
	executor    *tool.Executor
	connections *connector.Connections
	servers     *registry.Registry
	links       links
}

func (h *actions) register(api huma.API) {
	h.registerList(api)
	h.registerExecute(api)
	h.registerHealth(api)
}

// Action is a tool that a user can call.
type Action struct {
	Name         string            `json:"name" doc:"Its name, for action; unique among the user's." example:"DB_QUERY_db_abc123"`
	Title        string            `json:"title,omitempty" doc:"Its name for people." example:"Query a database"`
	Description  string            `json:"description" doc:"What it does; a server's own words." example:"Query 'My Analytics DB' (PostgreSQL)"`
	Provider     string            `json:"provider" doc:"What it is a tool of: an integration, a type of database, or mcp." example:"postgres"`
	Connection   string            `json:"connection,omitempty" doc:"The integration or database that it works with, as runs name it." example:"db_abc123"`
	Server       string            `json:"server,omitempty" doc:"The MCP server, where provider is mcp." example:"mcp-github"`
	Class        automation.Class  `json:"class" enum:"read,idempotent,effect" doc:"read changes nothing; idempotent may be repeated; effect is sent once." example:"read"`
	Parameters   map[string]string `json:"parameters" doc:"Its arguments in short: type, and what it is."`
	InputSchema  object            `json:"inputSchema" doc:"JSON Schema of its arguments. What is declared secret is not in it: what the user has stored goes there."`
	OutputSchema *object           `json:"outputSchema,omitempty" doc:"JSON Schema of its structured result; absent: it promises none."`
}

type actionsInput struct {
	Caller
}

type actionsBody struct {
	Tools      []Action       `json:"tools" doc:"What the user can call now."`
	Absent     []AbsentServer `json:"absent" doc:"MCP servers that did not answer in time."`
	NextCursor *string        `json:"next_cursor" doc:"Always null: the list is whole."`
}

type actionsOutput struct{ Body actionsBody }

func (h *actions) registerList(api huma.API) {
	handle(api, endpoint{
		Operation: huma.Operation{
			OperationID: "listTools", Method: http.MethodGet, Path: "/api/tools", Tags: []string{"tools"},
			Summary: "List everything that one can call",
			Description: "Tools of integrations and databases that the user has connected, and of MCP servers. Servers are asked at the same time and have 5 " +
				"seconds. An integration is here when at least one of its tools is granted; one that lacks a grant answers `consent_required`.",
		},
		access: access{scope: auth.ToolsRead},
		answers: actionsBody{Absent: []AbsentServer{}, Tools: []Action{{
			Name: exampleQuery, Title: "Query 'My Analytics DB' (PostgreSQL)", Description: "Query 'My Analytics DB' (PostgreSQL)", Provider: "postgres", Connection: exampleDatabase,
			Class: automation.Read, Parameters: map[string]string{"query": "string (SQL query)"},
			InputSchema: object(`{"type":"object","properties":{"query":{"type":"string","description":"SQL query"}},"required":["query"],"additionalProperties":false}`),
		}}},
	}, h.list)
}

const exampleQuery = "DB_QUERY_" + exampleDatabase

func (h *actions) list(ctx context.Context, _ *actionsInput) (*actionsOutput, error) {
	p, err := principal(ctx)
	if err != nil {
		return nil, err
	}
	cat, err := h.executor.Callable(ctx, p.Owner)
	if err != nil {
		return nil, err
	}
	out := &actionsOutput{Body: actionsBody{Tools: make([]Action, 0, len(cat.Tools)), Absent: absences(cat)}}
	for _, t := range cat.Tools {
		out.Body.Tools = append(out.Body.Tools, action(t))
	}
	return out, nil
}

// mcpProvider stands where a connector's name would: a server's own name could pass for one.
const mcpProvider = "mcp"

func action(t tool.Tool) Action {
	schema := schemaOf(t)
	a := Action{
		Name: t.Function, Title: t.Title, Description: t.Description, Provider: t.Connector, Connection: t.Connection, Class: t.Class,
		Parameters: parameters(schema), InputSchema: object(schema),
	}
	if t.Server != 0 {
		a.Provider, a.Server = mcpProvider, t.ServerName
	}
	if len(t.OutputSchema) > 0 {
		a.OutputSchema = of(object(t.OutputSchema))
	}
	return a
}
