package sandbox_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"

	"steward/dev/sandbox"
	"steward/internal/mcpclient"
)

// TestMain turns the test binary into a server whose only tool panics.
func TestMain(m *testing.M) {
	if len(os.Args) < 2 || os.Args[1] != "child" {
		os.Exit(m.Run())
	}
	server := sandbox.New("test", "Test", "")
	server.AddTool(&mcp.Tool{Name: "panic", InputSchema: json.RawMessage(`{"type":"object"}`)},
		func(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error) { panic("oops") })
	if err := sandbox.Serve(context.Background(), server); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func TestServerSurvivesAPanic(t *testing.T) {
	t.Parallel()
	pool, err := mcpclient.New(mcpclient.Options{Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		require.NoError(t, pool.Close(ctx))
	})
	target := mcpclient.Target{Name: "test", Stdio: &mcpclient.Stdio{Command: os.Args[0], Args: []string{"child"}}}
	for range 2 {
		_, err = pool.Call(t.Context(), target, mcpclient.Call{Tool: "panic"})
		var e *mcpclient.Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, mcpclient.StageResult, e.Stage)
		require.EqualValues(t, -32603, e.Code)
		require.NotContains(t, e.Err.Error(), "oops")
	}
	require.Contains(t, pool.Logs(target.Key), "panic in tools/call: oops")
	tools, err := pool.Tools(t.Context(), target)
	require.NoError(t, err)
	require.Len(t, tools, 1)
}
