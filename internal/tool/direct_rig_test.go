package tool_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"

	"steward/internal/auth/authtest"
	"steward/internal/automation"
	"steward/internal/connector"
	"steward/internal/egress"
	"steward/internal/mcpclient"
	"steward/internal/oauth"
	"steward/internal/registry"
	"steward/internal/secret"
	"steward/internal/store"
	"steward/internal/storetest"
	"steward/internal/tool"
	"steward/internal/vault"
)

// desk is an executor for calls outside runs, over a real database and a real MCP server in this process.
type desk struct {
	t      testing.TB
	db     *store.DB
	ring   *secret.Ring
	vault  *vault.Vault
	reg    *registry.Registry
	x      *tool.Executor
	remote *remoteServer
	logs   *logLines
	tokens registry.Tokens
}

// deskServer is the number of the server that every desk has.
const deskServer = 21

func newDesk(t testing.TB, change ...func(*desk)) *desk {
	t.Helper()
	d := &desk{t: t, db: storetest.New(t), logs: &logLines{}, tokens: refused{}}
	var err error
	d.ring, err = secret.NewRing(authtest.Key(t))
	require.NoError(t, err)
	for _, f := range change {
		f(d)
	}
	d.vault, err = vault.New(d.db, d.ring)
	require.NoError(t, err)
	log := slog.New(slog.NewJSONHandler(d.logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	loopback := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	d.reg, err = registry.New(d.db, d.ring, d.tokens, d.vault, egress.New(egress.Rules{Everybody: loopback}), registry.Options{}, log)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.reg.Close(context.WithoutCancel(t.Context()))) })
	d.remote = newRemoteServer(t)
	require.NoError(t, registry.Register(t.Context(), d.db.Queries, d.ring, registry.Server{
		ID: deskServer, Name: "desk", Transport: "http", URL: d.remote.URL, Trusted: true,
		Headers: map[string]secret.String{"X-Api-Key": secret.New(serverCanary)},
	}))
	d.x = d.executor()
	return d
}

const (
	serverCanary = "canary-of-the-server-2b9d"
	ownerCanary  = "canary-of-the-owner-77e1"
	callerCanary = "canary-of-the-caller-c3f0"
)

// executor makes one more executor on the same ledger, as another process has.
func (d *desk) executor() *tool.Executor {
	connections, err := connector.NewConnections(connector.Options{Credentials: &oauth.Service{}})
	require.NoError(d.t, err)
	log := slog.New(slog.NewJSONHandler(d.logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	x, err := tool.NewExecutor(d.db, d.ring, d.reg, connections, log, tool.Options{
		Timeout: 3 * time.Second, Vault: d.vault, Tokens: d.tokens,
	})
	require.NoError(d.t, err)
	d.t.Cleanup(func() { require.NoError(d.t, x.Close(context.WithoutCancel(d.t.Context()))) })
	return x
}

func (d *desk) direct(name, arguments string, change ...func(*tool.Direct)) (*tool.Done, error) {
	in := tool.Direct{
		Owner: owner, Actor: owner, Via: tool.ViaREST, Server: deskServer, Tool: name, Arguments: json.RawMessage(arguments), Where: "body.args",
	}
	for _, f := range change {
		f(&in)
	}
	return d.x.Direct(d.t.Context(), in)
}

func keyed(key string) func(*tool.Direct) { return func(d *tool.Direct) { d.Key = key } }

// events are the audit events of the owner's calls, once all are written.
func (d *desk) events() []*store.AuditEvent {
	d.t.Helper()
	require.NoError(d.t, d.x.Close(d.t.Context()))
	events, err := d.db.ListAudit(d.t.Context(), store.ListAuditParams{Chain: automation.AuditUser(owner), PageSize: 10_000})
	require.NoError(d.t, err)
	return events
}

// kinds are those of tool calls, with the state where there is one.
func (d *desk) kinds() []string {
	d.t.Helper()
	var out []string
	for _, e := range d.events() {
		var body struct{ State string }
		require.NoError(d.t, json.Unmarshal([]byte(e.Body), &body))
		if len(e.Kind) > 5 && e.Kind[:5] == "tool." {
			out = append(out, e.Kind+" "+body.State)
		}
	}
	return out
}

func (d *desk) rows() (n int) {
	d.t.Helper()
	require.NoError(d.t, d.db.Pool.QueryRow(d.t.Context(), "SELECT count(*) FROM direct_calls").Scan(&n))
	return n
}

// logLines is what was logged.
type logLines struct {
	mu sync.Mutex
	bytes.Buffer
}

// Write implements io.Writer.
func (l *logLines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Buffer.Write(p)
}

func (l *logLines) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.String()
}

// remoteServer is an MCP server over HTTP that counts what it did, and whose connections a test can cut.
type remoteServer struct {
	*httptest.Server

	mu    sync.Mutex
	did   []deed
	cut   func(tool string) cut
	inner *mcp.Server
}

// deed is one call that reached its tool.
type deed struct {
	tool, key string
	arguments map[string]any
}

// cut says where a call loses its connection.
type cut int

const (
	cutNever  cut = iota
	cutBefore     // the call does not reach its tool
	cutAfter      // the tool has done it, and the answer does not come back
)

func newRemoteServer(t testing.TB) *remoteServer {
	t.Helper()
	r := &remoteServer{}
	r.inner = mcp.NewServer(&mcp.Implementation{Name: "desk", Version: "1"}, nil)
	yes, no := true, false
	effect := &mcp.ToolAnnotations{DestructiveHint: &yes, OpenWorldHint: &no}
	reads := &mcp.ToolAnnotations{ReadOnlyHint: true}
	text := map[string]any{"type": "object", "properties": map[string]any{"text": map[string]any{"type": "string", "maxLength": 20}}, "required": []string{"text"}}
	r.add("send", text, effect, mcp.Meta{"dev.steward/probe": map[string]string{"tool": "sent", "argument": "key"}})
	r.add("post", text, effect, nil)
	r.add("put", text, &mcp.ToolAnnotations{IdempotentHint: true}, nil)
	r.add("get", text, reads, nil)
	r.add("shaped", map[string]any{
		"type": "object", "additionalProperties": false, "required": []string{"to", "when"},
		"properties": map[string]any{
			"to":   map[string]any{"type": "array", "items": map[string]any{"type": "string"}},
			"when": map[string]any{"type": "object", "properties": map[string]any{"day": map[string]any{"type": "integer", "minimum": 1}}, "required": []string{"day"}},
			"mode": map[string]any{"enum": []string{"fast", "slow"}},
		},
	}, reads, nil)
	r.add("guarded", map[string]any{
		"type": "object", "required": []string{"text", "apiKey"},
		"properties": map[string]any{
			"text":   map[string]any{"type": "string"},
			"apiKey": map[string]any{"type": "string", "x-secret": true},
			"other":  map[string]any{"type": "string"},
			"login":  map[string]any{"type": "object", "properties": map[string]any{"user": map[string]any{"type": "string"}, "password": map[string]any{"type": "string", "format": "password"}}},
		},
	}, effect, nil)
	r.inner.AddTool(&mcp.Tool{Name: "fail", InputSchema: map[string]any{"type": "object"}, Annotations: reads},
		func(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			return &mcp.CallToolResult{IsError: true, Content: []mcp.Content{&mcp.TextContent{Text: "mailbox full"}}}, nil
		})
	r.inner.AddTool(&mcp.Tool{Name: "leak", InputSchema: map[string]any{"type": "object"}, Annotations: reads},
		func(_ context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			said := "my key is " + req.Extra.Header.Get("X-Api-Key")
			return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: said}}}, nil
		})
	r.inner.AddTool(&mcp.Tool{
		Name: "sent", InputSchema: map[string]any{"type": "object", "properties": map[string]any{"key": map[string]any{"type": "string"}}},
		Annotations: reads, Meta: mcp.Meta{"dev.steward/probe-only": true},
	}, func(_ context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		var in struct{ Key string }
		if err := json.Unmarshal(req.Params.Arguments, &in); err != nil {
			return nil, err
		}
		outcome := "not_done"
		if r.count("", in.Key) > 0 {
			outcome = "done"
		}
		return &mcp.CallToolResult{StructuredContent: map[string]string{"outcome": outcome}, Content: []mcp.Content{}}, nil
	})
	handler := mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return r.inner }, &mcp.StreamableHTTPOptions{Stateless: true, JSONResponse: true})
	r.Server = httptest.NewServer(r.cutting(handler))
	t.Cleanup(func() {
		r.CloseClientConnections()
		r.Close()
	})
	return r
}

// add makes a tool that repeats its arguments and writes down that it was called.
func (r *remoteServer) add(name string, schema map[string]any, a *mcp.ToolAnnotations, meta mcp.Meta) {
	r.inner.AddTool(&mcp.Tool{Name: name, Description: "does " + name, InputSchema: schema, Annotations: a, Meta: meta},
		func(_ context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			key, _ := req.Params.Meta[mcpclient.CallKeyMeta].(string)
			var arguments map[string]any
			if err := json.Unmarshal(req.Params.Arguments, &arguments); err != nil {
				return nil, err
			}
			r.mu.Lock()
			r.did = append(r.did, deed{name, key, arguments})
			r.mu.Unlock()
			return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: string(req.Params.Arguments)}}}, nil
		})
}

// cutting drops the connection of a call where the test wants it.
func (r *remoteServer) cutting(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		req.Body = io.NopCloser(bytes.NewReader(body))
		var msg struct {
			Method string
			Params struct{ Name string }
		}
		_ = json.Unmarshal(body, &msg) // GET and DELETE have none
		where := cutNever
		r.mu.Lock()
		if msg.Method == "tools/call" && r.cut != nil {
			where = r.cut(msg.Params.Name)
		}
		r.mu.Unlock()
		switch where {
		case cutBefore:
			panic(http.ErrAbortHandler)
		case cutAfter:
			next.ServeHTTP(httptest.NewRecorder(), req)
			panic(http.ErrAbortHandler)
		}
		next.ServeHTTP(w, req)
	})
}

// once cuts the next call of a tool.
func (r *remoteServer) once(name string, where cut) {
	r.mu.Lock()
	defer r.mu.Unlock()
	done := false
	r.cut = func(called string) cut {
		if done || called != name {
			return cutNever
		}
		done = true
		return where
	}
}

// count says how often a tool was called under a key; "" stands for any.
func (r *remoteServer) count(name, key string) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, d := range r.did {
		if (name == "" || d.tool == name) && (key == "" || d.key == key) {
			n++
		}
	}
	return n
}

func (r *remoteServer) last(t testing.TB) deed {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	require.NotEmpty(t, r.did)
	return r.did[len(r.did)-1]
}
