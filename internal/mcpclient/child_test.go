package mcpclient

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

// TestMain turns the test binary into the servers that the tests start as real children.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "child" {
		os.Exit(child(os.Args[2]))
	}
	code := m.Run()
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

func child(mode string) int {
	switch mode {
	case "serve":
	case "banner":
		say("Welcome to the server!\n{half a message\n\n[1, 2]\nReady.")
	case "ignores-discover", "dies-on-discover":
		return oldServer(mode)
	case "does-not-start":
		fmt.Fprintln(os.Stderr, "\x1b[31mmissing setting\x1b[0m API_KEY")
		return 3
	case "deaf": // answers, then never reads again
		return deafServer()
	case "stubborn":
		return stubbornServer()
	case "keeper":
		return keeper()
	}
	if err := testServer().Run(context.Background(), &mcp.StdioTransport{}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// say writes a line to the client.
func say(line string) {
	if _, err := os.Stdout.WriteString(line + "\n"); err != nil {
		os.Exit(5)
	}
}

// wait ends only by a signal.
func wait() int {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGUSR1)
	<-c
	return 0
}

// testServer offers one tool for each thing a server may do to us.
func testServer() *mcp.Server {
	s := mcp.NewServer(&mcp.Implementation{Name: "testserver", Version: "1"}, &mcp.ServerOptions{
		SetCacheable: func(_ context.Context, _ mcp.Request, c *mcp.Cacheable) { c.TTLMs = 60_000 },
	})
	finish := make(chan struct{})
	add := func(name string, f func(context.Context, *mcp.CallToolRequest, map[string]string) (*mcp.CallToolResult, error)) {
		tool := &mcp.Tool{Name: name, Description: "does " + name, InputSchema: json.RawMessage(`{"type":"object"}`)}
		s.AddTool(tool, func(ctx context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			args := map[string]string{}
			if err := json.Unmarshal(req.Params.Arguments, &args); err != nil {
				return nil, err
			}
			return f(ctx, req, args)
		})
	}
	add("echo", func(_ context.Context, _ *mcp.CallToolRequest, args map[string]string) (*mcp.CallToolResult, error) {
		return text(args["text"]), nil
	})
	add("exact", func(context.Context, *mcp.CallToolRequest, map[string]string) (*mcp.CallToolResult, error) {
		res := text("see structured")
		res.StructuredContent = json.RawMessage(`{"big":12345678901234567890,"money":1234.50}`)
		return res, nil
	})
	add("refuse", func(context.Context, *mcp.CallToolRequest, map[string]string) (*mcp.CallToolResult, error) {
		res := text("no such mail")
		res.IsError = true
		return res, nil
	})
	add("big", func(_ context.Context, _ *mcp.CallToolRequest, args map[string]string) (*mcp.CallToolResult, error) {
		n, err := strconv.Atoi(args["bytes"])
		return text(strings.Repeat("x", n)), err
	})
	add("call-key", func(_ context.Context, req *mcp.CallToolRequest, _ map[string]string) (*mcp.CallToolResult, error) {
		key, _ := req.Params.Meta[CallKeyMeta].(string)
		return text(key), nil
	})
	add("environment", func(context.Context, *mcp.CallToolRequest, map[string]string) (*mcp.CallToolResult, error) {
		dir, err := os.Getwd()
		return text(strings.Join(append(os.Environ(), "WORKDIR="+dir), "\n")), err
	})
	add("pid", func(context.Context, *mcp.CallToolRequest, map[string]string) (*mcp.CallToolResult, error) {
		return text(strconv.Itoa(os.Getpid())), nil
	})
	add("fork", func(context.Context, *mcp.CallToolRequest, map[string]string) (*mcp.CallToolResult, error) {
		cmd := exec.CommandContext(context.Background(), "sleep", "600")
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr // as careless as they come
		if err := cmd.Start(); err != nil {
			return nil, err
		}
		return text(strconv.Itoa(cmd.Process.Pid)), nil
	})
	add("die", func(context.Context, *mcp.CallToolRequest, map[string]string) (*mcp.CallToolResult, error) {
		fmt.Fprintln(os.Stderr, "out of memory")
		os.Exit(7)
		return nil, nil
	})
	add("steps", func(ctx context.Context, req *mcp.CallToolRequest, _ map[string]string) (*mcp.CallToolResult, error) {
		for i := range 3 {
			err := req.Session.NotifyProgress(ctx, &mcp.ProgressNotificationParams{
				ProgressToken: req.Params.GetProgressToken(), Progress: float64(i + 1), Total: 3, Message: "step",
			})
			if err != nil {
				return nil, err
			}
		}
		<-finish
		return text("done"), nil
	})
	add("hasty", func(ctx context.Context, req *mcp.CallToolRequest, _ map[string]string) (*mcp.CallToolResult, error) {
		for i := range 3 {
			err := req.Session.NotifyProgress(ctx, &mcp.ProgressNotificationParams{ProgressToken: req.Params.GetProgressToken(), Progress: float64(i + 1)})
			if err != nil {
				return nil, err
			}
		}
		return text("done"), nil
	})
	add("finish", func(context.Context, *mcp.CallToolRequest, map[string]string) (*mcp.CallToolResult, error) {
		close(finish)
		return text("finishing"), nil
	})
	add("hang", func(ctx context.Context, _ *mcp.CallToolRequest, args map[string]string) (*mcp.CallToolResult, error) {
		if err := os.WriteFile(args["started"], nil, 0o600); err != nil {
			return nil, err
		}
		<-ctx.Done()
		return text("stopped"), os.WriteFile(args["cancelled"], nil, 0o600)
	})
	add("ask", func(ctx context.Context, req *mcp.CallToolRequest, args map[string]string) (*mcp.CallToolResult, error) {
		given, ok := req.Params.InputResponses["sure"].(*mcp.ElicitResult)
		if !ok {
			return &mcp.CallToolResult{InputRequests: mcp.InputRequestMap{"sure": &mcp.ElicitParams{Message: "Sure?", RequestedSchema: json.RawMessage(
				`{"type":"object","properties":{"sure":{"type":"boolean","default":true}},"required":["sure"]}`,
			)}}, RequestState: "state-1"}, nil
		}
		if args["then"] == "hang" {
			<-ctx.Done()
			<-time.After(200 * time.Millisecond) // or the answer could be there before the caller has given up
		}
		content, err := json.Marshal(given.Content)
		return text(given.Action + " " + string(content)), err
	})
	add("needs-url", func(_ context.Context, _ *mcp.CallToolRequest, args map[string]string) (*mcp.CallToolResult, error) {
		if args["opened"] == "" {
			return nil, mcp.URLElicitationRequiredError([]*mcp.ElicitParams{{Mode: "url", Message: "Sign in", URL: "https://example.com/in", ElicitationID: "1"}})
		}
		return text("welcome"), nil
	})
	s.AddTool(&mcp.Tool{Name: "in-region", InputSchema: json.RawMessage(`{"type":"object","properties":{"region":{"type":"string","x-mcp-header":"Region"}}}`)},
		func(_ context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			return text(req.Extra.Header.Get("Mcp-Param-Region")), nil
		})
	add("change", func(context.Context, *mcp.CallToolRequest, map[string]string) (*mcp.CallToolResult, error) {
		s.AddTool(&mcp.Tool{Name: "new", InputSchema: json.RawMessage(`{"type":"object"}`)},
			func(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error) { return text(""), nil })
		return text("changed"), nil
	})
	return s
}

func text(s string) *mcp.CallToolResult {
	return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: s}}}
}

// oldTools has absent hints, an unknown member, one broken entry and one name twice.
const oldTools = `{"tools":[
 {"name":"b","inputSchema":{"type":"object","maximum":12345678901234567890},"annotations":{"readOnlyHint":true,"title":"Bee"},"x-own":1},
 {"name":"a","description":"A","inputSchema":{"type":"object"},"annotations":{"destructiveHint":false,"idempotentHint":false,"openWorldHint":true},"_meta":{"k":{"tool":"b"}}},
 {"name":"b","inputSchema":{"type":"object"}},
 {"name":"odd","inputSchema":{"type":"object"},"annotations":{"readOnlyHint":"yes"}}]}`

// oldServer was written before server/discover.
func oldServer(mode string) int {
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		var req struct {
			ID     json.RawMessage
			Method string
		}
		if err := json.Unmarshal(in.Bytes(), &req); err != nil {
			return 2
		}
		result := "{}"
		switch req.Method {
		case "server/discover":
			if mode == "dies-on-discover" {
				return 4
			}
			continue
		case "initialize":
			result = `{"protocolVersion":"2025-06-18","capabilities":{"tools":{}},"serverInfo":{"name":"old","version":"0"}}`
		case "tools/list":
			result = oldTools
		case "tools/call":
			result = `{"content":[{"type":"hologram","of":"a cat"},{"type":"text","text":"hello"}]}`
		}
		if req.ID != nil {
			var line bytes.Buffer
			if err := json.Compact(&line, []byte(fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"result":%s}`, req.ID, result))); err != nil {
				return 2
			}
			say(line.String())
		}
	}
	return 0
}

// deafServer stops reading after the handshake: its pipe fills up.
func deafServer() int {
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		if bytes.Contains(in.Bytes(), []byte(`"initialize"`)) {
			say(`{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2025-06-18","capabilities":{},"serverInfo":{"name":"deaf","version":"0"}}}`)
			return wait()
		}
	}
	return 0
}

// stubbornServer does not leave when its stdin closes.
func stubbornServer() int {
	if err := testServer().Run(context.Background(), &mcp.StdioTransport{}); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	return wait()
}

// keeper is a parent that gets killed: it opens a session, prints the child's pid and waits.
func keeper() int {
	pool, err := New(Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return 1
	}
	res, err := pool.Call(context.Background(), childTarget("serve"), Call{Tool: "pid"})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	say(res.Text())
	return wait()
}

func childTarget(mode string) Target {
	return Target{
		Key: Key{Owner: "ann", Server: 1, Version: 1}, Name: mode,
		Stdio: &Stdio{Command: os.Args[0], Args: []string{"child", mode}},
	}
}

func newPool(tb testing.TB, opts Options) *Pool {
	tb.Helper()
	opts.Log = slog.New(slog.DiscardHandler)
	pool, err := New(opts)
	require.NoError(tb, err)
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		require.NoError(tb, pool.Close(ctx))
	})
	return pool
}

func call(tb testing.TB, pool *Pool, target Target, tool string, args string) (*Result, error) {
	tb.Helper()
	return pool.Call(tb.Context(), target, Call{Tool: tool, Arguments: json.RawMessage(args)})
}

// patiently is for the requests of a test that sets a short CallTimeout for another one.
func patiently(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// callError expects a failure.
func callError(tb testing.TB, pool *Pool, target Target, tool string, args string) *Error {
	tb.Helper()
	_, err := call(tb, pool, target, tool, args)
	var e *Error
	require.ErrorAs(tb, err, &e)
	return e
}

func gone(pid int) bool {
	state, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || bytes.Contains(state, []byte(") Z "))
}

func pidOf(tb testing.TB, text string) int {
	tb.Helper()
	pid, err := strconv.Atoi(strings.TrimSpace(text))
	require.NoError(tb, err)
	return pid
}

const patience = 10 * time.Second
