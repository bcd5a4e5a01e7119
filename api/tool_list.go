package api

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"steward/internal/auth"
	"steward/internal/tool"
)

// MCPTool is a tool of an MCP server.
type MCPTool struct {
	Name        string `json:"name" doc:"The server's name for it, for methodName." example:"create_issue"`
	Description string `json:"description" doc:"What it does, in the server's words." example:"Creates a new issue in a GitHub repository"`
	InputSchema object `json:"inputSchema" doc:"JSON Schema of its arguments. Parameters that are declared secret are not in it: what the user has stored for the server goes into them."`
}

// AbsentServer is a server that could not say what it offers.
type AbsentServer struct {
	Server string `json:"server" doc:"Its name." example:"calendar"`
	Reason string `json:"reason" doc:"Why." example:"no answer in time"`
}

type toolsInput struct {
	Caller
}

type toolsBody struct {
	Success bool                   `json:"success" doc:"Always true." example:"true"`
	Tools   []map[string][]MCPTool `json:"tools" doc:"One entry a server: its name, and what the user can call on it now."`
	Absent  []AbsentServer         `json:"absent" doc:"Servers that did not answer in time."`
}

type toolsOutput struct{ Body toolsBody }

func (h *tools) registerList(api huma.API) {
	handle(api, endpoint{
		Operation: huma.Operation{
			OperationID: "listMCPTools", Method: http.MethodGet, Path: "/mcp/tools", Tags: []string{"tools"},
			Summary: "List the tools of MCP servers",
			Description: "What the user can call now: on servers of their own and on those that an admin has registered for everybody. Servers are asked at " +
				"the same time and have 5 seconds; tools whose definition has changed since somebody agreed to it are left out until it is reviewed.",
		},
		access: access{scope: auth.ToolsRead},
		answers: toolsBody{
			Success: true, Absent: []AbsentServer{},
			Tools: []map[string][]MCPTool{{"mcp-github": {{
				Name: "create_issue", Description: "Creates a new issue in a GitHub repository", InputSchema: object(exampleIssueSchema),
			}}}},
		},
	}, h.list)
}

const exampleIssueSchema = `{"type":"object","properties":{"owner":{"type":"string"},"repo":{"type":"string"},"title":{"type":"string"}},"required":["owner","repo","title"]}`

func (h *tools) list(ctx context.Context, _ *toolsInput) (*toolsOutput, error) {
	p, err := principal(ctx)
	if err != nil {
		return nil, err
	}
	cat, err := h.executor.Callable(ctx, p.Owner)
	if err != nil {
		return nil, err
	}
	return &toolsOutput{Body: toolsBody{Success: true, Tools: byServer(cat), Absent: absences(cat)}}, nil
}

func absences(cat tool.Catalogue) []AbsentServer {
	out := []AbsentServer{}
	for _, a := range cat.Absent {
		out = append(out, AbsentServer{Server: a.Server, Reason: a.Reason})
	}
	return out
}

// byServer keeps the order of servers and tools. Tools of one server stand together in a catalogue.
func byServer(cat tool.Catalogue) []map[string][]MCPTool {
	all := []map[string][]MCPTool{}
	var last int64
	for _, t := range cat.Tools {
		if t.Server == 0 {
			continue
		}
		if t.Server != last {
			all, last = append(all, map[string][]MCPTool{}), t.Server
		}
		of := all[len(all)-1]
		of[t.ServerName] = append(of[t.ServerName], MCPTool{Name: t.Name, Description: t.Description, InputSchema: object(schemaOf(t))})
	}
	return all
}

func schemaOf(t tool.Tool) json.RawMessage {
	if len(t.InputSchema) == 0 {
		return json.RawMessage(`{"type":"object"}`)
	}
	return t.InputSchema
}
