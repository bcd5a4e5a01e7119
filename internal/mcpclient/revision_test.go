package mcpclient

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"
)

// A server that is called while we serve a request is spoken to in its own revision, not in that of the request.
func TestRevisionOfTheCallerStaysOutside(t *testing.T) {
	t.Parallel()
	older, pool := newRemote(t, EraLegacy), newPool(t, Options{})
	var mu sync.Mutex
	revisions := map[string]bool{}
	older.on(func(_ http.ResponseWriter, req *http.Request, method string) bool {
		if method == "tools/call" {
			mu.Lock()
			defer mu.Unlock()
			revisions[req.Header.Get("Mcp-Protocol-Version")] = true
		}
		return false
	})
	server := mcp.NewServer(&mcp.Implementation{Name: "gateway", Version: "1"}, nil)
	server.AddTool(&mcp.Tool{Name: "pass", InputSchema: json.RawMessage(`{"type":"object"}`)},
		func(ctx context.Context, _ *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			res, err := pool.Call(ctx, older.target(""), Call{Tool: "echo", Arguments: json.RawMessage(`{"text":"hello"}`)})
			if err != nil {
				return nil, err
			}
			return text(res.Text()), nil
		})
	gateway := httptest.NewServer(mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return server }, &mcp.StreamableHTTPOptions{Stateless: true}))
	t.Cleanup(gateway.Close)
	t.Cleanup(gateway.CloseClientConnections)
	modern := Target{Key: Key{Owner: "ann", Server: 8, Version: 1}, Name: "gateway", Era: EraModern, HTTP: &HTTP{URL: gateway.URL, Client: gateway.Client()}}
	for range 2 { // with the session that the first call opened, too
		res, err := call(t, pool, modern, "pass", "")
		require.NoError(t, err)
		require.Equal(t, "hello", res.Text())
	}
	mu.Lock()
	defer mu.Unlock()
	require.Equal(t, map[string]bool{legacyVersion: true}, revisions)
}
