// Package mcp is Steward as an MCP server: every revision of the protocol on one URL and HTTP+SSE for clients that
// know nothing newer (CONTRACT "MCP, both roles"). One file per tool; server.go lists them.
//
// What a request must get past stands in this order: the edge says who asks before a byte of the body is read
// (handler.go), the message is read strictly and its scope checked (message.go, scope.go), and only then does the
// SDK see it. The SDK never sees a credential: callers reach the tools as principals (caller.go).
package mcp

import (
	"context"
	"errors"
	"log/slog"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"steward/internal/auth"
	"steward/internal/registry"
	"steward/internal/run"
	"steward/internal/store"
	"steward/internal/tool"
)

// Deps is what the tools stand on; all are required.
type Deps struct {
	DB       *store.DB
	Runs     *run.Service
	Reader   Reader
	Executor *tool.Executor
	Registry *registry.Registry
	Log      *slog.Logger
}

func (d *Deps) check() error {
	if d.DB == nil || d.Runs == nil || d.Reader == nil || d.Executor == nil || d.Registry == nil || d.Log == nil {
		return errors.New("mcp: a dependency is missing")
	}
	return nil
}

// Server is an MCP server that Handler serves.
type Server struct {
	sdk      *sdk.Server
	scopes   scopes
	sessions *sessions
	log      *slog.Logger
}

// New makes ours.
func New(d Deps) (*Server, error) {
	if err := d.check(); err != nil {
		return nil, err
	}
	t := &tasks{db: d.DB, runs: d.Runs, reader: d.Reader, input: shapeOf[runInput]()}
	list := []offer{
		getAutomationRuns(d.Reader), getRunDetail(d.Reader), getWorkflowHistory(d.Reader), getMCPServers(d.Registry),
		runAutomation(d.Runs), cancelRun(d.Runs, d.Reader), decideCall(d.Runs),
		listTools(d.Executor), callTool(d.Executor, d.Reader, newRounds(d.Executor.Look)),
	}
	s := sdk.NewServer(&sdk.Implementation{Name: "steward", Title: "Steward", Version: "1.0.0", Description: description}, &sdk.ServerOptions{
		Instructions: instructions, Capabilities: capabilities(), SetCacheable: cacheable,
	})
	known := scopes{}
	for _, o := range list {
		s.AddTool(o.Tool, o.handler(d.Log))
		known[o.Name] = o.scope
	}
	if err := t.register(s); err != nil {
		return nil, err
	}
	return Around(s, known, d.Log), nil
}

// Around puts a server of the SDK behind the same doors as ours; known says which scope a tool needs, none if it is
// not there. It is how conformance tests bring the tools that they ask for.
func Around(s *sdk.Server, known map[string]auth.Scope, log *slog.Logger) *Server {
	bound := newSessions()
	s.AddReceivingMiddleware(bound.bind, identify, recovered(log)) // the last is inside
	return &Server{sdk: s, scopes: known, sessions: bound, log: log}
}

// capabilities: the tools are what they are as long as we run, so nothing is told about changes.
func capabilities() *sdk.ServerCapabilities {
	c := &sdk.ServerCapabilities{Tools: &sdk.ToolCapabilities{}}
	c.AddExtension(extension, nil)
	return c
}

// freshness is how long a client may keep our list of tools: it changes with a new release alone.
const freshness = 10 * time.Minute

func cacheable(_ context.Context, _ sdk.Request, c *sdk.Cacheable) {
	c.TTLMs, c.CacheScope = int(freshness.Milliseconds()), "private"
}
