package mcpclient

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/dev/counterpart"
)

const everythingMain = "@modelcontextprotocol/server-everything/dist/index.js"

// everything starts the protocol authors' own test server over HTTP.
func everything(t *testing.T, transport, path string) Target {
	t.Helper()
	port := counterpart.FreePort(t)
	url := "http://127.0.0.1:" + strconv.Itoa(port) + path
	client := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(client.CloseIdleConnections)
	counterpart.Start(t, counterpart.Program{
		Name: "server-everything", Main: everythingMain, Args: []string{transport}, Env: []string{"PORT=" + strconv.Itoa(port)},
		Ready: func(ctx context.Context) error {
			req, err := http.NewRequestWithContext(ctx, http.MethodHead, strings.TrimSuffix(url, path), nil)
			if err != nil {
				return err
			}
			resp, err := client.Do(req)
			if err != nil {
				return err
			}
			return resp.Body.Close()
		},
	})
	return Target{Key: Key{Owner: "ann", Server: 4, Version: 1}, Name: transport, HTTP: &HTTP{URL: url, Client: client}}
}

// A server that we have not written, over its three transports.
func TestEverything(t *testing.T) {
	t.Parallel()
	node, err := exec.LookPath("node")
	require.NoError(t, err, "run make deps")
	main, err := filepath.Abs(filepath.Join("..", "..", "dev", "deps", "node_modules", filepath.FromSlash(everythingMain)))
	require.NoError(t, err)
	child := childTarget("")
	child.Stdio = &Stdio{Command: node, Args: []string{main, "stdio"}}
	for wire, target := range map[Wire]func(*testing.T) Target{
		"":             func(*testing.T) Target { return child },
		WireSSE:        func(t *testing.T) Target { return everything(t, "sse", "/sse") },
		WireStreamable: func(t *testing.T) Target { return everything(t, "streamableHttp", "/mcp") },
	} {
		t.Run(string("over "+wire), func(t *testing.T) {
			t.Parallel()
			target := target(t)
			kept := newShelf()
			pool := newPool(t, Options{Sessions: kept})
			info, err := pool.Ping(t.Context(), target)
			require.NoError(t, err)
			require.Equal(t, wire, info.Wire)
			require.Equal(t, EraLegacy, info.Era)
			require.Equal(t, "2025-11-25", info.ProtocolVersion)
			requireEverything(t, pool, target)
			if wire != WireStreamable {
				require.Empty(t, kept.kept)
				return
			}
			// Another process goes on with the session; one that the server does not know is replaced.
			closed(t, pool)
			id := kept.id(t, target.Key)
			require.NotEmpty(t, id)
			pool = newPool(t, Options{Sessions: kept})
			_, err = call(t, pool, target, "echo", `{"message":"again"}`)
			require.NoError(t, err)
			require.Equal(t, id, kept.id(t, target.Key))
			closed(t, pool)
			unheard, err := KeptSession("unheard-of")
			require.NoError(t, err)
			kept.put(target.Key, unheard)
			pool = newPool(t, Options{Sessions: kept})
			_, err = call(t, pool, target, "echo", `{"message":"anew"}`)
			require.NoError(t, err)
			require.NotEqual(t, id, kept.id(t, target.Key))
			require.NotEqual(t, "unheard-of", kept.id(t, target.Key))
		})
	}
}

func requireEverything(t *testing.T, pool *Pool, target Target) {
	t.Helper()
	tools, err := pool.Tools(t.Context(), target)
	require.NoError(t, err)
	named := map[string]Tool{}
	for _, tool := range tools {
		named[tool.Name] = tool
	}
	require.True(t, *named["echo"].ReadOnly)

	structured, err := pool.Call(t.Context(), target, Call{
		Tool: "get-structured-content", Arguments: json.RawMessage(`{"location":"New York"}`), OutputSchema: named["get-structured-content"].OutputSchema,
	})
	require.NoError(t, err)
	require.Contains(t, string(structured.Structured), `"temperature"`)
	_, err = pool.Call(t.Context(), target, Call{
		Tool: "get-structured-content", Arguments: json.RawMessage(`{"location":"New York"}`), OutputSchema: json.RawMessage(`{"required":["wind"]}`),
	})
	require.ErrorIs(t, err, ErrOutput)

	var steps []string
	long, err := pool.Call(t.Context(), target, Call{
		Tool: "trigger-long-running-operation", Arguments: json.RawMessage(`{"duration":0.3,"steps":3}`),
		Progress: func(p Progress) { steps = append(steps, fmt.Sprint(p.Done, "/", p.Total)) },
	})
	require.NoError(t, err)
	require.Contains(t, long.Text(), "completed")
	require.GreaterOrEqual(t, len(steps), 2, "what comes together with the result may be too late")
	require.Equal(t, []string{"1/3", "2/3"}, steps[:2])

	form, err := pool.Call(t.Context(), target, Call{Tool: "trigger-elicitation-request", Ask: func(_ context.Context, q Question) (Answer, error) {
		require.Equal(t, "form", q.Mode)
		return Answer{Action: ActionAccept, Content: json.RawMessage(`{"name":"Ann","check":true}`)}, nil
	}})
	require.NoError(t, err)
	require.Contains(t, form.Text(), "Ann")
	require.Contains(t, form.Text(), "It was a dark and stormy night.", "a default of the form")

	url := json.RawMessage(`{"url":"https://example.com/","errorPath":true}`)
	refused, err := pool.Call(t.Context(), target, Call{Tool: "trigger-url-elicitation", Arguments: url})
	require.NoError(t, err)
	require.NotNil(t, refused.Needs)
	require.Equal(t, "url", refused.Needs.Questions["url-1"].Mode)
	asked := 0
	opened, err := pool.Call(t.Context(), target, Call{
		Tool: "trigger-url-elicitation", Arguments: url, Given: &Given{Answers: map[string]Answer{"url-1": {Action: ActionAccept}}},
		Ask: func(_ context.Context, q Question) (Answer, error) {
			asked++
			require.Equal(t, "https://example.com/", q.URL)
			return Answer{Action: ActionAccept}, nil
		},
	})
	require.NoError(t, err)
	require.NotEmpty(t, opened.Text())
	require.Equal(t, 1, asked)

	target.Timeout = 200 * time.Millisecond
	e := callError(t, pool, target, "trigger-long-running-operation", `{"duration":5,"steps":1}`)
	require.ErrorIs(t, e, context.DeadlineExceeded)
	require.Equal(t, 1, sessions(pool))
}
