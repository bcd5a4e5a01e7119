package api_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"testing"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"

	"steward/api"
	"steward/api/mcp"
	"steward/internal/auth"
)

// around serves other tools behind our doors.
func around(t testing.TB, scopes map[string]auth.Scope, tools map[string]sdk.ToolHandler) *rig {
	t.Helper()
	s := sdk.NewServer(&sdk.Implementation{Name: "other", Version: "1"}, nil)
	for name, call := range tools {
		s.AddTool(&sdk.Tool{Name: name, InputSchema: json.RawMessage(`{"type":"object"}`)}, call)
	}
	return newRig(t, func(d *api.Deps) { d.MCP = mcp.Around(s, scopes, slog.New(slog.DiscardHandler)) })
}

func TestMCPOutlivesAPanic(t *testing.T) {
	t.Parallel()
	r := around(t, nil, map[string]sdk.ToolHandler{
		"burst": func(context.Context, *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
			panic("with canary-of-a-secret in it")
		},
	})
	url, alice := r.listen(), r.token("alice", auth.User)
	for _, revision := range revisions {
		session := r.session(url, revision, alice)
		_, err := session.CallTool(t.Context(), &sdk.CallToolParams{Name: "burst"})
		require.ErrorContains(t, err, "internal error")
		require.NotContains(t, err.Error(), "canary")
		_, err = session.ListTools(t.Context(), nil)
		require.NoError(t, err)
	}
}

// What the client no longer waits for does not go on.
func TestMCPCancelsWhatNobodyWaitsFor(t *testing.T) {
	t.Parallel()
	for _, revision := range []string{"2026-07-28", "2025-11-25"} {
		begun, ended := make(chan struct{}), make(chan error, 1)
		r := around(t, nil, map[string]sdk.ToolHandler{
			"wait": func(ctx context.Context, _ *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
				close(begun)
				<-ctx.Done()
				ended <- ctx.Err()
				return nil, ctx.Err()
			},
		})
		session := r.session(r.listen(), revision, r.token("alice", auth.User))
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			<-begun
			cancel()
		}()
		_, err := session.CallTool(ctx, &sdk.CallToolParams{Name: "wait"})
		require.ErrorIs(t, err, context.Canceled, revision)
		select {
		case err := <-ended:
			require.ErrorIs(t, err, context.Canceled, revision)
		case <-time.After(10 * time.Second):
			require.Fail(t, "the tool still works", revision)
		}
	}
}

// Tools see who asks, and nothing of how that was shown.
func TestMCPKeepsCredentialsToItself(t *testing.T) {
	t.Parallel()
	seen := make(chan *sdk.RequestExtra, 1)
	r := around(t, map[string]auth.Scope{"look": auth.ToolsCall}, map[string]sdk.ToolHandler{
		"look": func(_ context.Context, r *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
			seen <- r.Extra
			return &sdk.CallToolResult{Content: []sdk.Content{}}, nil
		},
	})
	for kind, sign := range map[string]func(c *call){
		"token": func(c *call) { c.token = r.token("alice", auth.User) },
		"key":   func(c *call) { c.key = r.apiKey("alice"); c.path += "?user_id=alice" },
	} {
		c := toolCall("look", `{}`)
		sign(&c)
		require.Equal(t, http.StatusOK, r.mcp(c).Code, kind)
		extra := <-seen
		for name, values := range extra.Header {
			for _, v := range values {
				require.False(t, c.token != "" && v == "Bearer "+c.token || c.key != "" && v == c.key, "%s: %s", kind, name)
			}
		}
		require.Contains(t, extra.TokenInfo.UserID, "alice")
	}
}
