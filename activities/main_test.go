package activities

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"steward/internal/launch/process"
)

// counterServer makes the test binary an MCP server that keeps state in its session: how often it was called.
const counterServer = "STEWARD_TEST_COUNTER"

func TestMain(m *testing.M) {
	process.Become()
	if os.Getenv(counterServer) != "" {
		_ = counter().Run(context.Background(), &mcp.StdioTransport{})
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func counter() *mcp.Server {
	s := mcp.NewServer(&mcp.Implementation{Name: "counter", Version: "1"}, nil)
	calls, self := 0, rand.Text() // a child is number 1 of its own namespace: numbers of processes tell nothing
	mcp.AddTool(s, &mcp.Tool{Name: "count", Annotations: &mcp.ToolAnnotations{ReadOnlyHint: true}},
		func(_ context.Context, _ *mcp.CallToolRequest, _ map[string]any) (*mcp.CallToolResult, any, error) {
			calls++ // go-sdk reads one request after the other; nobody calls side by side here
			return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: fmt.Sprintf("%d of %s", calls, self)}}}, nil, nil
		})
	return s
}
