package api

import (
	"github.com/danielgtaylor/huma/v2"

	"steward/internal/registry"
	"steward/internal/tool"
)

// tools serves /mcp/tools and /mcp/tool: what a user can call on MCP servers, and calls outside runs (seed 001).
type tools struct {
	executor *tool.Executor
	servers  *registry.Registry
	links    links
}

func (h *tools) register(api huma.API) {
	h.registerList(api)
	h.registerCall(api)
	h.registerShow(api)
}
