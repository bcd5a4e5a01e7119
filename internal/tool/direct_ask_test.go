package tool_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"

	"steward/internal/mcpclient"
	"steward/internal/tool"
)

// A call whose server waits for a person is nobody's to take over (T-46).
func TestDirectClaimLastsWhileAPersonIsAsked(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.remote.inner.AddTool(&mcp.Tool{Name: "book", InputSchema: map[string]any{"type": "object"}},
		func(_ context.Context, r *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			if a, asked := r.Params.InputResponses["seat"].(*mcp.ElicitResult); asked {
				return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: a.Action}}}, nil
			}
			form := &mcp.ElicitParams{Mode: "form", Message: "Which seat?", RequestedSchema: json.RawMessage(`{"type":"object","properties":{}}`)}
			return &mcp.CallToolResult{InputRequests: mcp.InputRequestMap{"seat": form}, RequestState: "s"}, nil
		})
	done, err := d.direct("book", `{}`, func(c *tool.Direct) {
		c.Ask = func(ctx context.Context, q mcpclient.Question) (mcpclient.Answer, error) {
			require.Equal(t, "desk asks: Which seat?", q.Message)
			var left float64
			require.NoError(t, d.db.Pool.QueryRow(ctx, "SELECT extract(epoch FROM lease_until - clock_timestamp())::float8 FROM direct_calls").Scan(&left))
			require.Greater(t, left, (5 * time.Minute).Seconds())
			until, ok := ctx.Deadline()
			require.True(t, ok)
			require.Greater(t, time.Until(until), 4*time.Minute)
			return mcpclient.Answer{Action: mcpclient.ActionAccept}, nil
		}
	})
	require.NoError(t, err)
	require.Equal(t, "accept", done.Text)
}
