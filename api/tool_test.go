package api_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"

	"steward/api"
	"steward/internal/auth"
	"steward/internal/egress"
	"steward/internal/registry"
	"steward/internal/secret"
	"steward/internal/tool"
	"steward/internal/vault"
)

// github is the server of seed 001's example, in this process.
type github struct {
	*httptest.Server

	issues atomic.Int32
	given  atomic.Value // the arguments of the last issue
	lose   atomic.Bool  // the connection of the next call, behind the effect
}

func newGitHub(t *testing.T) *github {
	t.Helper()
	g := &github{}
	s := mcp.NewServer(&mcp.Implementation{Name: "github", Version: "1"}, nil)
	yes := true
	s.AddTool(&mcp.Tool{
		Name: "create_issue", Description: "Creates a new issue in a GitHub repository", Annotations: &mcp.ToolAnnotations{DestructiveHint: &yes},
		InputSchema: json.RawMessage(`{"type":"object","properties":{"owner":{"type":"string"},"repo":{"type":"string"},"title":{"type":"string"},"body":{"type":"string"},"githubToken":{"type":"string","format":"password"}},"required":["owner","repo","title","githubToken"]}`),
	}, func(_ context.Context, r *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		g.issues.Add(1)
		g.given.Store(string(r.Params.Arguments))
		return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: "created with " + string(r.Params.Arguments)}}}, nil
	})
	reads := &mcp.ToolAnnotations{ReadOnlyHint: true}
	object := json.RawMessage(`{"type":"object"}`)
	s.AddTool(&mcp.Tool{Name: "structured", InputSchema: object, Annotations: reads}, func(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		return &mcp.CallToolResult{StructuredContent: map[string]int{"open": 3}, Content: []mcp.Content{&mcp.TextContent{Text: `{"open":3}`}}}, nil
	})
	s.AddTool(&mcp.Tool{Name: "picture", InputSchema: object, Annotations: reads}, func(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		return &mcp.CallToolResult{Content: []mcp.Content{&mcp.ImageContent{Data: []byte("x"), MIMEType: "image/png"}}}, nil
	})
	s.AddTool(&mcp.Tool{Name: "fails", InputSchema: object, Annotations: reads}, func(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		return &mcp.CallToolResult{IsError: true, Content: []mcp.Content{&mcp.TextContent{Text: "repository not found"}}}, nil
	})
	next := mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return s }, &mcp.StreamableHTTPOptions{Stateless: true, JSONResponse: true})
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		before := g.issues.Load()
		answer := httptest.NewRecorder()
		next.ServeHTTP(answer, r)
		if g.issues.Load() > before && g.lose.Load() {
			panic(http.ErrAbortHandler)
		}
		for name, values := range answer.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes())
	}))
	t.Cleanup(func() {
		g.CloseClientConnections()
		g.Close()
	})
	return g
}

// toolRig is a rig whose calls reach servers on loopback.
func toolRig(t *testing.T) (*rig, *github) {
	t.Helper()
	g := newGitHub(t)
	r := newRig(t, func(d *api.Deps) {
		loopback := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
		exits := egress.New(egress.Rules{Everybody: loopback})
		onlyHere(exits.Of("").Client())
		servers, err := registry.New(d.DB, d.Ring, d.Consent, d.Vault, exits, registry.Options{}, slog.New(slog.DiscardHandler))
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, servers.Close(context.WithoutCancel(t.Context()))) })
		require.NoError(t, registry.Register(t.Context(), d.DB.Queries, d.Ring, registry.Server{
			ID: 7, Name: "mcp-github", Transport: "http", URL: g.URL, Trusted: true,
		}))
		require.NoError(t, registry.Register(t.Context(), d.DB.Queries, d.Ring, registry.Server{
			ID: 8, Name: "mails", Transport: "http", URL: g.URL, Trusted: true, AuthProvider: "google",
		}))
		executor, err := tool.NewExecutor(d.DB, d.Ring, servers, d.Connections, slog.New(slog.DiscardHandler), tool.Options{
			Timeout: 5 * time.Second, Vault: d.Vault, Tokens: d.Consent,
		})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, executor.Close(context.WithoutCancel(t.Context()))) })
		d.Registry, d.Executor = servers, executor
	})
	return r, g
}

const tokenOfAlice = "ghp_canary_of_alice_31aa"

func (r *rig) keep(owner, name, value string) {
	r.t.Helper()
	require.NoError(r.t, r.deps.Vault.Set(r.t.Context(), vault.Change{Owner: owner, Actor: owner, Server: 7, Name: name}, secret.New(value)))
}

const createIssue = `{"username":"alice","serverName":"mcp-github","methodName":"create_issue","args":{"owner":"username","repo":"repo-name","title":"Issue title","body":"Issue description"}}`

// calledTool is the answer of seed 001, field by field.
type calledTool struct {
	Success bool `json:"success"`
	Data    *struct {
		Content     json.RawMessage `json:"content"`
		ContentType string          `json:"contentType"`
	} `json:"data"`
	Error  string `json:"error"`
	CallID string `json:"call_id"`
}

func (r *rig) callTool(owner, body string, header ...string) *httptest.ResponseRecorder {
	c := call{method: http.MethodPost, path: "/mcp/tool/call", body: body, token: r.token(owner, auth.User), header: map[string]string{}}
	for i := 0; i < len(header); i += 2 {
		c.header[header[i]] = header[i+1]
	}
	return r.do(c)
}

func TestToolsAreListedAsInTheSeed(t *testing.T) {
	t.Parallel()
	r, _ := toolRig(t)
	w := r.do(call{path: "/mcp/tools", token: r.token("alice", auth.User)})
	got := decoded[struct {
		Success bool                                      `json:"success"`
		Tools   []map[string][]map[string]json.RawMessage `json:"tools"`
		Absent  []map[string]string                       `json:"absent"`
	}](t, w, http.StatusOK)
	require.True(t, got.Success)
	require.Len(t, got.Tools, 1)
	first := got.Tools[0]["mcp-github"][0]
	require.Len(t, first, 3)
	require.JSONEq(t, `"create_issue"`, string(first["name"]))
	require.JSONEq(t, `"Creates a new issue in a GitHub repository"`, string(first["description"]))
	require.JSONEq(t, `{"type":"object","properties":{"owner":{"type":"string"},"repo":{"type":"string"},"title":{"type":"string"},"body":{"type":"string"}},"required":["owner","repo","title"]}`,
		string(first["inputSchema"]), "a secret parameter is nobody's to see")
	require.Equal(t, "mails", got.Absent[0]["server"], "one that wants a consent is named")
}

func TestToolCallAsInTheSeed(t *testing.T) {
	t.Parallel()
	r, g := toolRig(t)
	r.keep("alice", "GITHUB_TOKEN", tokenOfAlice)
	w := r.callTool("alice", createIssue)
	got := decoded[calledTool](t, w, http.StatusOK)
	require.True(t, got.Success)
	require.Equal(t, "text/plain", got.Data.ContentType)
	require.Contains(t, string(got.Data.Content), "created with")
	require.Contains(t, g.given.Load(), tokenOfAlice, "the stored token went along")
	require.NotContains(t, w.Body.String(), tokenOfAlice, "and did not come back")
	require.NotContains(t, r.logs.String(), tokenOfAlice)

	show := r.do(call{path: "/mcp/tool/calls/" + got.CallID, token: r.token("alice", auth.User)})
	shown := decoded[map[string]any](t, show, http.StatusOK)
	require.Equal(t, "done", shown["state"])
	require.Equal(t, true, shown["success"])
	require.NotContains(t, show.Body.String(), tokenOfAlice)
	problem(t, r.do(call{path: "/mcp/tool/calls/" + got.CallID, token: r.token("bob", auth.User)}), http.StatusNotFound)

	for body, want := range map[string]string{
		`{"serverName":"mcp-github","methodName":"structured","args":{}}`: `{"content":{"open":3},"contentType":"application/json"}`,
		`{"serverName":"7","methodName":"picture","args":{}}`:             `{"content":[{"type":"image","data":"eA==","mimeType":"image/png"}],"contentType":"application/json"}`,
	} {
		var whole struct{ Data json.RawMessage }
		w := r.callTool("alice", body)
		require.Equal(t, http.StatusOK, w.Code, w.Body.String())
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &whole))
		require.JSONEq(t, want, string(whole.Data))
	}
	failed := decoded[calledTool](t, r.callTool("alice", `{"serverName":"mcp-github","methodName":"fails","args":{}}`), http.StatusOK)
	require.False(t, failed.Success)
	require.Nil(t, failed.Data)
	require.Equal(t, "repository not found", failed.Error)
}

func TestToolCallRefusals(t *testing.T) {
	t.Parallel()
	r, g := toolRig(t)
	for body, want := range map[string]struct {
		status   int
		code     string
		location string
	}{
		`{"serverName":"helper-tools","methodName":"x","args":{}}`:                                            {404, "not_found", ""},
		`{"serverName":"mcp-github","methodName":"x","args":{}}`:                                              {404, "not_found", ""},
		`{"serverName":"mcp-github","methodName":"create_issue","args":{"owner":"a","repo":"b"}}`:             {422, "invalid", "body.args.title"},
		`{"serverName":"mcp-github","methodName":"create_issue","args":{"owner":1,"repo":"b","title":"c"}}`:   {422, "invalid", "body.args.owner"},
		`{"serverName":"mcp-github","methodName":"create_issue","args":{"owner":"a","repo":"b","title":"c"}}`: {422, "secret_missing", "body.args.githubToken"},
		`{"serverName":"mcp-github","methodName":"create_issue"}`:                                             {422, "invalid", "body"},
		`{"username":"bob","serverName":"mcp-github","methodName":"create_issue","args":{}}`:                  {403, "owner_mismatch", ""},
		`{"serverName":"mails","methodName":"fails","args":{}}`:                                               {403, "consent_required", ""},
	} {
		p := problem(t, r.callTool("alice", body), want.status)
		require.Equal(t, want.code, p.Code, body)
		if want.location != "" {
			require.Equal(t, want.location, p.Errors[0].Location, body)
		}
		require.Equal(t, want.code == "consent_required", strings.HasPrefix(p.ConnectURL, publicURL+"/auth/google/login?link="), body)
	}
	require.Zero(t, g.issues.Load())
}

func TestToolCallWhoseAnswerIsLost(t *testing.T) {
	t.Parallel()
	r, g := toolRig(t)
	r.keep("alice", "GITHUB_TOKEN", tokenOfAlice)
	g.lose.Store(true)
	p := problem(t, r.callTool("alice", createIssue, "Idempotency-Key", "k1"), http.StatusBadGateway)
	require.Equal(t, "outcome_unknown", p.Code)
	require.NotEmpty(t, p.CallID)
	g.lose.Store(false)
	again := problem(t, r.callTool("alice", createIssue, "Idempotency-Key", "k1"), http.StatusBadGateway)
	require.Equal(t, p.CallID, again.CallID)
	require.EqualValues(t, 1, g.issues.Load(), "it is not made again")
	shown := decoded[map[string]any](t, r.do(call{path: "/mcp/tool/calls/" + p.CallID, token: r.token("alice", auth.User)}), http.StatusOK)
	require.Equal(t, "unknown", shown["state"])
	require.Equal(t, false, shown["success"])
}

func TestToolCallIsReplayed(t *testing.T) {
	t.Parallel()
	r, g := toolRig(t)
	r.keep("alice", "GITHUB_TOKEN", tokenOfAlice)
	first := r.callTool("alice", createIssue, "Idempotency-Key", "k1")
	require.Equal(t, http.StatusOK, first.Code, first.Body.String())
	again := r.callTool("alice", createIssue, "Idempotency-Key", `"k1"`)
	require.Equal(t, "true", again.Header().Get("Idempotency-Replayed"))
	require.Equal(t, first.Body.String(), again.Body.String())
	require.EqualValues(t, 1, g.issues.Load())
	other := strings.Replace(createIssue, "Issue title", "Another", 1)
	require.Equal(t, "idempotency_mismatch", problem(t, r.callTool("alice", other, "Idempotency-Key", "k1"), http.StatusUnprocessableEntity).Code)
}

func TestToolCallsAreCounted(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(d *api.Deps) { d.Rates.Calls = 2 })
	body := `{"serverName":"none","methodName":"x","args":{}}`
	for range 2 {
		problem(t, r.callTool("alice", body), http.StatusNotFound)
	}
	require.Equal(t, "rate_limited", problem(t, r.callTool("alice", body), http.StatusTooManyRequests).Code)
	problem(t, r.callTool("bob", body), http.StatusNotFound)
}
