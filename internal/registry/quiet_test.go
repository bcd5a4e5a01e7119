package registry_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"

	"steward/internal/mcpclient"
	"steward/internal/registry"
	"steward/internal/registry/input"
	"steward/internal/secret"
	"steward/internal/store"
	"steward/internal/vault"
)

// keyed is what each user has to store for a server.
func keyed(name string) []input.Field {
	return []input.Field{{Name: name, Input: input.Input{Secret: true, Required: true}}}
}

// stores has alice store a value for a server.
func (w *world) stores(s *store.MCPServer, name, value string) {
	w.t.Helper()
	require.NoError(w.t, w.vault.Set(w.t.Context(), vault.Change{Owner: "alice", Actor: "alice", Server: s.ID, Name: name}, secret.New(value)))
}

// gossip repeats what it was sent: in its name, in the description of its tool, and, once it is in a mood, in the
// refusal of everything.
func gossip(t *testing.T, moody bool) string {
	t.Helper()
	one := func(req *http.Request) *mcp.Server {
		heard := fmt.Sprintf("%s, %s and %s", req.Header.Get("X-Key"), req.Header.Get("X-Static"), req.Header.Get("Authorization"))
		s := mcp.NewServer(&mcp.Implementation{Name: "gossip", Title: heard, Version: "1"}, nil)
		s.AddTool(&mcp.Tool{Name: "hello", Description: heard, InputSchema: json.RawMessage(`{"type":"object"}`)},
			func(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
				return &mcp.CallToolResult{}, nil
			})
		s.AddReceivingMiddleware(func(next mcp.MethodHandler) mcp.MethodHandler {
			return func(ctx context.Context, method string, r mcp.Request) (mcp.Result, error) {
				if moody && (method == "tools/list" || method == "tools/call") {
					return nil, &jsonrpc.Error{Code: -32099, Message: heard + " were revoked", Data: json.RawMessage(`{"was":"` + heard + `"}`)}
				}
				return next(ctx, method, r)
			}
		})
		return s
	}
	web := httptest.NewServer(mcp.NewStreamableHTTPHandler(one, &mcp.StreamableHTTPOptions{Stateless: true}))
	t.Cleanup(web.Close)
	t.Cleanup(web.CloseClientConnections)
	return web.URL
}

// quiet says that an error may be logged, and that it still is the failure of a request.
func quiet(t *testing.T, err error) *mcpclient.Error {
	t.Helper()
	e, ok := errors.AsType[*mcpclient.Error](err)
	require.True(t, ok, "%v", err)
	require.NotContains(t, fmt.Sprint(err, e.Stderr), "canary")
	return e
}

// T-33: what a user has stored or consented to, and what is saved for a server, is in no error that is logged.
func TestT33FailuresHoldNoSecret(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	remote := w.add(admin(), registry.Server{
		Name: "gossip", Transport: "http", URL: gossip(t, true), AuthProvider: "google", HeaderSchema: keyed("X-Key"),
		Headers: plain(map[string]string{"X-Static": "canary-static"}),
	})
	w.stores(remote, "X-Key", "canary-key")
	asks := map[string]func() error{
		"tools": func() error { _, err := w.Offers(t.Context(), "alice", remote); return err },
		"first": func() error { _, err := w.Calibrate(t.Context(), "alice", remote); return err },
		"call": func() error {
			_, err := w.Call(t.Context(), "alice", remote, mcpclient.Call{Tool: "hello"})
			return err
		},
	}
	for name, ask := range asks {
		err := ask()
		require.EqualValues(t, -32099, quiet(t, err).Code, name)
		require.Contains(t, err.Error(), "[redacted] were revoked", name)
		wire, ok := errors.AsType[*jsonrpc.Error](err)
		require.True(t, ok, name)
		require.Equal(t, "[redacted], [redacted] and Bearer [redacted] were revoked", wire.Message, name)
		require.NotContains(t, string(wire.Data), "canary", name)
		require.ErrorIs(t, err, wire, "it still is what it was")
	}
}

// T-33: the last words of a child, which all who wait for it get at once.
func TestT33LastWordsHoldNoSecret(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	child := w.add(admin(), registry.Server{
		Name: "broken", Transport: "stdio", Command: "/bin/sh", Args: []string{"-c", `echo "neither $API_KEY nor $OWN_TOKEN" >&2; exit 1`},
		Env: plain(map[string]string{"OWN_TOKEN": "canary-own"}), EnvSchema: keyed("API_KEY"),
	})
	w.stores(child, "API_KEY", "canary-key")
	var all sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		all.Go(func() { _, errs[i] = w.Offers(t.Context(), "alice", child) })
	}
	all.Wait()
	for _, err := range errs {
		require.Contains(t, quiet(t, err).Stderr, "neither [redacted] nor [redacted]")
	}
}

// A server that everybody may call, and that repeats one user's secret, tells it to nobody else; a short one neither.
func TestT33SharedWordsOfAServerHoldNoSecret(t *testing.T) {
	t.Parallel()
	for _, value := range []string{"pin-8842-X", "a-long-secret-value-0123456789"} {
		t.Run(value, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			s := w.add(admin(), registry.Server{
				Name: "gossip", Transport: "http", URL: gossip(t, false), AuthProvider: "google", HeaderSchema: keyed("X-Key"),
				Headers: plain(map[string]string{"X-Static": "canary-static"}),
			})
			w.stores(s, "X-Key", value)
			first := fetch(t, w, s)["hello"]
			seen, err := w.Server(t.Context(), "bob", s.ID)
			require.NoError(t, err)
			for _, said := range []string{string(seen.ServerInfo), string(first.Definition)} {
				require.Contains(t, said, "[redacted], [redacted] and Bearer [redacted]")
				require.NotContains(t, said, value)
				require.NotContains(t, said, "canary")
			}
		})
	}
}
