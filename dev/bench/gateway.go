package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

const (
	gatewayCalls = 400
	gatewayWarm  = 20
	gatewayWide  = 8 // callers at once
)

// revisions are the protocol's two eras, by their newest revision.
var revisions = []string{"2025-11-25", "2026-07-28"}

// benchGateway compares a tool call through Steward, with its audit, with the same call on a kept session that
// a client has with the server itself: through REST and through our MCP server, one at a time and eight at once.
func benchGateway(ctx context.Context, s *site, r *report) error {
	return s.besideRemote(ctx, func() error {
		return s.besideAPI(ctx, func(c *caller) error {
			g, err := newGateway(ctx, s, c)
			if err != nil {
				return err
			}
			return errors.Join(g.measure(ctx, r), g.close())
		})
	})
}

// gateway holds the ways to the sandbox servers.
type gateway struct {
	caller  *caller
	direct  map[string]*mcp.ClientSession // by role
	through map[string]*mcp.ClientSession // by revision
}

func newGateway(ctx context.Context, s *site, c *caller) (g *gateway, err error) {
	g = &gateway{caller: c, direct: map[string]*mcp.ClientSession{}, through: map[string]*mcp.ClientSession{}}
	for _, role := range []string{"files", "mailbox"} {
		if g.direct[role], err = dialSandbox(ctx, role, s.folder(role)); err != nil {
			return g, errors.Join(err, g.close())
		}
	}
	if g.direct["remote"], err = dialRemote(ctx, s.remote); err != nil {
		return g, errors.Join(err, g.close())
	}
	for _, revision := range revisions {
		if g.through[revision], err = g.dial(ctx, revision); err != nil {
			return g, errors.Join(err, g.close())
		}
	}
	return g, nil
}

func (g *gateway) close() error {
	var failures []error
	for _, sessions := range []map[string]*mcp.ClientSession{g.direct, g.through} {
		for _, session := range sessions {
			if session != nil {
				failures = append(failures, session.Close())
			}
		}
	}
	return errors.Join(failures...)
}

// signed adds the first user's token to every request.
type signed struct {
	next  http.RoundTripper
	token string
}

// RoundTrip implements http.RoundTripper.
func (t signed) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+t.token)
	return t.next.RoundTrip(r)
}

// dial opens a session with our MCP server, as an agent elsewhere would.
func (g *gateway) dial(ctx context.Context, revision string) (*mcp.ClientSession, error) {
	transport := &mcp.StreamableClientTransport{
		Endpoint:   g.caller.url + "/mcp",
		HTTPClient: &http.Client{Transport: signed{g.caller.client.Transport, g.caller.tokens[0].Reveal()}},
	}
	session, err := mcp.NewClient(&mcp.Implementation{Name: "bench", Version: "1"}, nil).
		Connect(ctx, transport, &mcp.ClientSessionOptions{ProtocolVersion: revision})
	if err != nil {
		return nil, fmt.Errorf("open session of %s: %w", revision, err)
	}
	return session, nil
}

// way is one way to make the same call.
type way struct {
	name string
	call func(ctx context.Context, i int) error
}

// target is one tool, read-only or not.
type target struct {
	name, role, tool string
	nth              func(i int) string
}

func (g *gateway) measure(ctx context.Context, r *report) error {
	one := func(i int) string { return nthRead(i % callPairs) }
	for _, t := range []target{{"read", "files", readTool, one}, {"remote read", "remote", readTool, one}, {"effect", "mailbox", sendTool, nthSend}} {
		direct := way{"direct", func(ctx context.Context, i int) error { return callBare(ctx, g.direct[t.role], t.tool, t.nth(i)) }}
		if err := g.oneByOne(ctx, r, t, direct); err != nil {
			return err
		}
		if err := g.manyAtOnce(ctx, r, t, direct); err != nil {
			return err
		}
	}
	return g.newSessions(ctx, r)
}

// ways are those through us.
func (g *gateway) ways(t target) []way {
	all := []way{{"REST", func(ctx context.Context, i int) error { return g.rest(ctx, t, i) }}}
	for _, revision := range revisions {
		all = append(all, way{"MCP " + revision, func(ctx context.Context, i int) error {
			return callThrough(ctx, g.through[revision], t, i)
		}})
	}
	return all
}

func (g *gateway) oneByOne(ctx context.Context, r *report, t target, direct way) error {
	var lines []latency
	for _, w := range g.ways(t) {
		line := latency{name: t.name + ", " + w.name}
		for i := range gatewayWarm + gatewayCalls {
			if i == gatewayWarm {
				line.ours, line.bare = nil, nil
			}
			if err := line.ours.timed(func() error { return w.call(ctx, i) }); err != nil {
				return fmt.Errorf("%s: %w", line.name, err)
			}
			if err := line.bare.timed(func() error { return direct.call(ctx, i) }); err != nil {
				return fmt.Errorf("direct: %w", err)
			}
		}
		lines = append(lines, line)
	}
	return r.latencies("Tool call through Steward, audited / the same call on a kept session with the server", lines...)
}

func (g *gateway) manyAtOnce(ctx context.Context, r *report, t target, direct way) error {
	rate := func(w way) (float64, error) {
		next := make(chan int, 8*gatewayCalls)
		for i := range 8 * gatewayCalls {
			next <- i
		}
		_, took, err := repeated(ctx, 8*gatewayCalls, gatewayWide, func(ctx context.Context) error { return w.call(ctx, <-next) })
		return 8 * gatewayCalls / took.Seconds(), err
	}
	bare, err := rate(direct)
	if err != nil {
		return err
	}
	var lines []throughput
	for _, w := range g.ways(t) {
		ours, err := rate(w)
		if err != nil {
			return fmt.Errorf("%s at %d: %w", w.name, gatewayWide, err)
		}
		lines = append(lines, throughput{t.name + ", " + w.name, ours, bare})
	}
	return r.throughputs(fmt.Sprintf("The same with %d callers", gatewayWide), lines...)
}

// newSessions is the whole of a new client: handshake, one call, end. The server's child is there already.
func (g *gateway) newSessions(ctx context.Context, r *report) error {
	var lines []latency
	t := target{"read", "files", readTool, nthRead}
	for _, revision := range revisions {
		line := latency{name: "MCP " + revision}
		for i := range gatewayCalls / 4 {
			err := line.ours.timed(func() error {
				session, err := g.dial(ctx, revision)
				if err != nil {
					return err
				}
				return errors.Join(callThrough(ctx, session, t, i), session.Close())
			})
			if err == nil {
				err = line.bare.timed(func() error { return callThrough(ctx, g.through[revision], t, i) })
			}
			if err != nil {
				return err
			}
		}
		lines = append(lines, line)
	}
	return r.latencies("A new client's session with one call / the call on a kept session with Steward", lines...)
}

func callThrough(ctx context.Context, session *mcp.ClientSession, t target, i int) error {
	res, err := session.CallTool(ctx, &mcp.CallToolParams{Name: "call_tool", Arguments: map[string]any{
		"name": "mcp_" + t.role + "__" + t.tool, "arguments": json.RawMessage(t.nth(i)),
	}})
	if err == nil && res.IsError {
		err = errors.New("the tool failed")
	}
	return err
}

func (g *gateway) rest(ctx context.Context, t target, i int) error {
	body, err := json.Marshal(map[string]any{"serverName": t.role, "methodName": t.tool, "args": json.RawMessage(t.nth(i))})
	if err != nil {
		return fmt.Errorf("encode call: %w", err)
	}
	return g.caller.send(ctx, http.MethodPost, "/mcp/tool/call", bytes.NewReader(body), 0, http.StatusOK)
}
