package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"steward/internal/automation"
	"steward/internal/llm"
	"steward/internal/store"
	"steward/internal/tool"
)

const (
	callPairs = 400
	callWarm  = 20
)

// benchCalls compares Executor.Execute (read the call, claim, send, settle, with an audit event each) with
// the same call on a kept session of go-sdk.
func benchCalls(ctx context.Context, s *site, r *report) error {
	var lines []latency
	for _, c := range []struct {
		name, role, tool string
		nth              func(i int) string
		server           int64
	}{
		{"call, read class", "files", readTool, nthRead, filesID},
		{"call, effect class", "mailbox", sendTool, nthSend, mailboxID},
	} {
		line, err := compareCalls(ctx, s, c.role, c.server, c.tool, c.nth)
		if err != nil {
			return err
		}
		line.name = c.name
		lines = append(lines, line)
	}
	return r.latencies("Tool call through the executor / the same call on a kept go-sdk session", lines...)
}

func compareCalls(ctx context.Context, s *site, role string, server int64, name string, nth func(i int) string) (line latency, err error) {
	session, err := dialSandbox(ctx, role, s.folder(role))
	if err != nil {
		return line, err
	}
	defer func() { err = errors.Join(err, session.Close()) }()
	p, err := newPlanner(ctx, s, server)
	if err != nil {
		return line, err
	}
	for i := range callWarm + callPairs {
		arguments := nth(i)
		planned, err := p.plan(ctx, "mcp_"+role+"__"+name, arguments)
		if err != nil {
			return line, err
		}
		if err := line.ours.timed(func() error { return p.execute(ctx, planned) }); err != nil {
			return line, err
		}
		if err := line.bare.timed(func() error { return callBare(ctx, session, name, arguments) }); err != nil {
			return line, err
		}
		if i == callWarm-1 {
			line.ours, line.bare = nil, nil
		}
	}
	return line, nil
}

func callBare(ctx context.Context, session *mcp.ClientSession, name, arguments string) error {
	res, err := session.CallTool(ctx, &mcp.CallToolParams{Name: name, Arguments: json.RawMessage(arguments)})
	if err == nil && res.IsError {
		err = errors.New("the tool failed")
	}
	return err
}

// planner writes calls in the ledger, as the model's turns do, for Execute to carry out.
type planner struct {
	site *site
	run  *store.AutomationRun
	cat  tool.Catalogue
	step int
}

var stamp = tool.Stamp{TemporalRunID: "bench", ActivityID: "1", Attempt: 1}

func newPlanner(ctx context.Context, s *site, server int64) (*planner, error) {
	p := &planner{site: s}
	var err error
	p.run, err = s.db.InsertRun(ctx, store.InsertRunParams{
		Mode: "worker", Connections: []string{}, Owner: owner, Actor: owner, WorkflowID: fmt.Sprintf("bench/%d", server), ServerIDs: []int64{server},
		InstructionsSealed: []byte("none"), Approval: tool.ApproveNever, Limits: json.RawMessage("{}"), Metadata: json.RawMessage("{}"),
	})
	if err != nil {
		return nil, fmt.Errorf("insert run: %w", err)
	}
	servers, err := s.servers.Servers(ctx, owner, []int64{server})
	if err != nil {
		return nil, err
	}
	if p.cat, err = tool.Resolve(ctx, s.servers, owner, tool.Sources{Servers: servers}, ""); err != nil {
		return nil, err
	}
	doc, err := json.Marshal(p.cat)
	if err != nil {
		return nil, fmt.Errorf("encode catalogue: %w", err)
	}
	return p, s.db.PutCatalogue(ctx, store.PutCatalogueParams{RunID: p.run.ID, Snapshot: doc})
}

func (p *planner) plan(ctx context.Context, function, arguments string) (automation.PlannedCall, error) {
	p.step++
	var planned []automation.PlannedCall
	err := p.site.db.Tx(ctx, func(q *store.Queries) error {
		var err error
		planned, err = p.site.tools.Plan(ctx, q, tool.Turn{Run: p.run, Catalogue: p.cat, Step: p.step, Stamp: stamp, Instructions: "mail the figures to " + sendTo},
			[]llm.Call{{CallID: "call", Name: function, Arguments: arguments}})
		return err
	})
	if err != nil {
		return automation.PlannedCall{}, err
	}
	return planned[0], nil
}

// execute does what activity CallTool does. The workflow lets calls other than reads write the run's state.
func (p *planner) execute(ctx context.Context, c automation.PlannedCall) error {
	in := automation.CallInput{RunID: p.run.ID, Step: p.step, ID: c.ID, State: automation.Running}
	if c.Class != automation.Read {
		in.Seq = int64(2 * p.step)
	}
	out, err := p.site.tools.Execute(ctx, in, stamp, nil)
	if err == nil && out.State != automation.CallDone {
		err = fmt.Errorf("the call ended as %s", out.State)
	}
	return err
}
