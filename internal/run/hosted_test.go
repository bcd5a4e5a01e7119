package run_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/automation"
	"steward/internal/fault"
	"steward/internal/registry"
	"steward/internal/run"
	"steward/internal/secret"
	"steward/internal/store"
)

// newHosting is a service whose model provider calls MCP servers itself, with servers of every sort.
func newHosting(t *testing.T) (*run.Service, *store.DB) {
	t.Helper()
	s, db, ring := newServiceWith(t, run.Options{HostedMCP: true})
	for i, url := range map[int64]string{
		2: "https://mcp.example.com/mcp", 3: "https://169.254.169.254/latest", 4: "https://user:hunter7@mcp.example.com/mcp", 5: "http://mcp.example.com/mcp",
		6: "https://localhost:8443/mcp", 7: "https://2130706433/mcp", 8: "https://mcp.example.org/",
	} {
		require.NoError(t, registry.Register(t.Context(), db.Queries, ring, registry.Server{
			ID: i, Name: map[int64]string{2: "public", 3: "metadata", 4: "userinfo", 5: "plain", 6: "local", 7: "number", 8: "second"}[i],
			Transport: "http", URL: url, Headers: map[string]secret.String{"Authorization": secret.New("Bearer canary")},
		}))
	}
	return s, db
}

func TestHostedRuns(t *testing.T) {
	t.Parallel()
	s, db := newHosting(t)
	for name, tc := range map[string]struct {
		request run.Request
		servers []int64
		refused string // where
		why     string
	}{
		"named":            {run.Request{Servers: []string{"public", "8"}}, []int64{2, 8}, "", ""},
		"by id":            {run.Request{MCPServerID: 8}, []int64{8}, "", ""},
		"none named":       {run.Request{}, []int64{2, 8}, "", ""},
		"a child of ours":  {run.Request{MCPServerID: 1}, nil, "body.mcp_server_id", "not reached by streamable HTTP"},
		"metadata address": {run.Request{Servers: []string{"public", "metadata"}}, nil, "body.servers[1]", "not public"},
		"user and word":    {run.Request{Servers: []string{"userinfo"}}, nil, "body.servers[0]", "user name"},
		"plain http":       {run.Request{Servers: []string{"5"}}, nil, "body.servers[0]", "https://"},
		"this machine":     {run.Request{MCPServerID: 6, Servers: []string{"public"}}, nil, "body.mcp_server_id", "not public"},
		"odd number":       {run.Request{Servers: []string{"second", "number"}}, nil, "body.servers[1]", "not public"},
		"connections":      {run.Request{Servers: []string{"public"}, Connections: []string{"gmail"}}, nil, "body.connections", "only our worker"},
		"absent":           {run.Request{Servers: []string{"nope"}}, nil, "body.servers[0]", "no such"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tc.request.Instructions, tc.request.Mode = "x", automation.ModeProvider
			out, err := s.Start(t.Context(), alice, tc.request)
			if tc.refused != "" {
				require.True(t, fault.Is(err, fault.Invalid), "%v", err)
				require.ErrorContains(t, err, tc.refused)
				require.ErrorContains(t, err, tc.why)
				require.NotContains(t, err.Error(), "hunter7")
				return
			}
			require.NoError(t, err)
			row, err := db.GetRunForWorker(t.Context(), out.RunID)
			require.NoError(t, err)
			require.Equal(t, tc.servers, row.ServerIDs)
			require.Equal(t, "provider", row.Mode)
			require.Empty(t, row.Connections)
		})
	}
}

func TestHostedRunsNeedAProviderAndAServer(t *testing.T) {
	t.Parallel()
	request := run.Request{Instructions: "x", Mode: automation.ModeProvider}
	s, _ := newService(t, 10)
	_, err := s.Start(t.Context(), alice, request)
	require.True(t, fault.Is(err, fault.Invalid), "%v", err)
	require.ErrorContains(t, err, "body.mode")
	s, _, _ = newServiceWith(t, run.Options{HostedMCP: true})
	_, err = s.Start(t.Context(), alice, request)
	require.True(t, fault.Is(err, fault.Invalid), "%v", err)
	require.ErrorContains(t, err, "no server that the model's provider can call")
}
