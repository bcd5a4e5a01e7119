package conformance_test

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"

	"steward/dev/conformance"
	"steward/internal/auth"
	"steward/internal/run"
)

// seen is what a client of somebody else's found.
type seen struct {
	Tools  []string
	Runs   []struct{ Status string }
	Server string
}

func (s seen) complete(t *testing.T) {
	t.Helper()
	require.Len(t, s.Tools, 9)
	require.Contains(t, s.Tools, "run_automation")
	require.Len(t, s.Runs, 1)
	require.Equal(t, "pending", s.Runs[0].Status)
	require.Equal(t, "steward", s.Server)
}

// ours is our own server, in which alice has started a run, with her token.
func ours(t *testing.T) (*site, string) {
	t.Helper()
	s := newSite(t, nil)
	_, err := s.runs.Start(t.Context(), auth.Principal{Owner: "alice", Actor: "alice"}, run.Request{Instructions: "say hello"})
	require.NoError(t, err)
	return s, s.token(t, "alice")
}

// output runs a program of dev/deps; what it prints on stdout is returned.
func output(t *testing.T, env []string, program string, args ...string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), program, args...)
	command.Env = append(os.Environ(), env...)
	var said strings.Builder
	command.Stderr = &said
	out, err := command.Output()
	require.NoError(t, err, "%s%s", out, &said)
	return string(out)
}

func TestInspector(t *testing.T) {
	t.Parallel()
	s, token := ours(t)
	inspector := conformance.Tool(t, "@modelcontextprotocol", "inspector", "clients", "launcher", "build", "index.js")
	for name, way := range map[string][]string{
		"legacy": {s.url + "/mcp", "--transport", "http", "--protocol-era", "legacy"},
		"modern": {s.url + "/mcp", "--transport", "http", "--protocol-era", "modern"},
		"SSE":    {s.url + "/mcp/", "--transport", "sse"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inspect := func(args ...string) string {
				args = append(append(append([]string{inspector, "--cli"}, way...), "--header", "Authorization: Bearer "+token, "--format", "json"), args...)
				return output(t, []string{"HOME=" + t.TempDir()}, conformance.Node(t), args...)
			}
			require.Contains(t, inspect("--method", "tools/list", "--strict"), "run_automation")
			require.Contains(t, inspect("--method", "tools/call", "--tool-name", "get_automation_runs", "--tool-arg", "limit=1"), `"pending"`)
		})
	}
}

func TestTypeScriptSDK(t *testing.T) {
	t.Parallel()
	s, token := ours(t)
	for kind, path := range map[string]string{"http": "/mcp", "sse": "/mcp/"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			var got seen
			modules := "NODE_MODULES=" + conformance.Tool(t)
			require.NoError(t, json.Unmarshal([]byte(output(t, []string{modules}, conformance.Node(t), "client_sdk.mjs", s.url+path, kind, token)), &got))
			got.complete(t)
		})
	}
}

func TestPythonSDK(t *testing.T) {
	t.Parallel()
	s, token := ours(t)
	for way, path := range map[string]string{"legacy": "/mcp", "auto": "/mcp", "sse": "/mcp/"} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			var got seen
			require.NoError(t, json.Unmarshal([]byte(output(t, nil, conformance.Python(t), "client_sdk.py", s.url+path, way, token)), &got))
			got.complete(t)
		})
	}
}

// signed adds a bearer token to what a client sends.
type signed struct{ token string }

func (s signed) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+s.token)
	return http.DefaultTransport.RoundTrip(r)
}

func TestGoSDK(t *testing.T) {
	t.Parallel()
	s, token := ours(t)
	for _, revision := range []string{"2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"} {
		t.Run(revision, func(t *testing.T) {
			t.Parallel()
			client := sdk.NewClient(&sdk.Implementation{Name: "go-sdk", Version: "1.0.0"}, nil)
			transport := &sdk.StreamableClientTransport{Endpoint: s.url + "/mcp", HTTPClient: &http.Client{Transport: signed{token}}}
			session, err := client.Connect(t.Context(), transport, &sdk.ClientSessionOptions{ProtocolVersion: revision})
			require.NoError(t, err)
			t.Cleanup(func() { _ = session.Close() })
			tools, err := session.ListTools(t.Context(), nil)
			require.NoError(t, err)
			got := seen{Server: session.InitializeResult().ServerInfo.Name}
			for _, tool := range tools.Tools {
				got.Tools = append(got.Tools, tool.Name)
			}
			result, err := session.CallTool(t.Context(), &sdk.CallToolParams{Name: "get_automation_runs", Arguments: map[string]any{"limit": 1}})
			require.NoError(t, err)
			doc, err := json.Marshal(result.StructuredContent)
			require.NoError(t, err)
			require.NoError(t, json.Unmarshal(doc, &got))
			got.complete(t)
		})
	}
}
