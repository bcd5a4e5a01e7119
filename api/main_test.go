package api_test

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"steward/internal/launch/process"
)

// serveVariable turns this program into the stdio server of seed 001's examples.
const serveVariable = "SERVE_GITHUB"

func TestMain(m *testing.M) {
	process.Become()
	if os.Getenv(serveVariable) != "" {
		os.Exit(serveGitHub())
	}
	os.Exit(m.Run())
}

func serveGitHub() int {
	server := mcp.NewServer(&mcp.Implementation{Name: "mcp-github", Version: "1"}, nil)
	server.AddTool(&mcp.Tool{Name: "create_issue", Description: "Creates a new issue in a GitHub repository", InputSchema: map[string]any{
		"type": "object", "properties": map[string]any{"owner": map[string]any{"type": "string", "description": "Repository owner"}}, "required": []string{"owner"},
	}}, func(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		return &mcp.CallToolResult{}, nil
	})
	if err := server.Run(context.Background(), &mcp.StdioTransport{}); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}
