package tool_test

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/automation"
	"steward/internal/connector"
	"steward/internal/egress"
	"steward/internal/llm"
	"steward/internal/oauth"
	"steward/internal/registry"
	"steward/internal/secret"
	"steward/internal/store"
	"steward/internal/storetest"
	"steward/internal/tool"
	"steward/internal/vault"
)

const owner = "alice"

// fixture is an executor over a real database and a real MCP server in a child process.
type fixture struct {
	t    *testing.T
	db   *store.DB
	ring *secret.Ring
	reg  *registry.Registry
	x    *tool.Executor
	dir  string
	run  *store.AutomationRun

	server int64 // not the same in two tests: children of one server and owner share a limit of processes on the machine
	cat    tool.Catalogue
	step   int
}

func newFixture(t *testing.T, approval string) *fixture {
	t.Helper()
	f := &fixture{t: t, db: storetest.New(t), dir: t.TempDir(), server: 1 + mathrand.Int64N(1<<16-1)}
	var err error
	key := make([]byte, secret.KeyBytes)
	_, err = rand.Read(key)
	require.NoError(t, err)
	f.ring, err = secret.NewRing(secret.New(base64.URLEncoding.EncodeToString(key)))
	require.NoError(t, err)
	kept, err := vault.New(f.db, f.ring)
	require.NoError(t, err)
	f.reg, err = registry.New(f.db, f.ring, &oauth.Service{}, kept, egress.New(egress.Rules{}), registry.Options{}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, f.reg.Close(context.WithoutCancel(t.Context()))) })
	self, err := os.Executable()
	require.NoError(t, err)
	require.NoError(t, registry.Register(t.Context(), f.db.Queries, f.ring, registry.Server{
		ID: f.server, Name: "test", Transport: "stdio", Command: self, Args: []string{f.dir}, Trusted: true,
		Env: map[string]secret.String{serverFolder: secret.New(f.dir), "API_KEY": secret.New("canary-7d1f-server-key")},
	}))
	f.x = f.executor()
	f.newRun(approval)
	return f
}

// executor makes one more executor on the same ledger, as another worker has.
func (f *fixture) executor() *tool.Executor { return f.executorOf(3 * time.Second) }

// executorOf makes one whose calls may take so long.
func (f *fixture) executorOf(timeout time.Duration) *tool.Executor {
	connections, err := connector.NewConnections(connector.Options{Credentials: &oauth.Service{}})
	require.NoError(f.t, err)
	x, err := tool.NewExecutor(f.db, f.ring, f.reg, connections, slog.New(slog.DiscardHandler), tool.Options{Timeout: timeout, Expiry: time.Hour})
	require.NoError(f.t, err)
	return x
}

func (f *fixture) newRun(approval string) {
	ctx := f.t.Context()
	var err error
	f.run, err = f.db.InsertRun(ctx, store.InsertRunParams{
		Mode: "worker", Connections: []string{}, Owner: owner, Actor: owner, WorkflowID: "run/test", ServerIDs: []int64{f.server}, InstructionsSealed: []byte("x"),
		Approval: approval, Limits: json.RawMessage("{}"), Metadata: json.RawMessage("{}"),
	})
	require.NoError(f.t, err)
	servers, err := f.reg.Servers(ctx, owner, []int64{f.server})
	require.NoError(f.t, err)
	f.cat, err = tool.Resolve(ctx, f.reg, owner, tool.Sources{Servers: servers}, "")
	require.NoError(f.t, err)
	doc, err := json.Marshal(f.cat)
	require.NoError(f.t, err)
	require.NoError(f.t, f.db.PutCatalogue(ctx, store.PutCatalogueParams{RunID: f.run.ID, Snapshot: doc}))
}

var stamp = tool.Stamp{TemporalRunID: "t1", ActivityID: "1", Attempt: 1}

// plan records one turn of the model with one call.
func (f *fixture) plan(name, arguments string) automation.PlannedCall {
	f.t.Helper()
	f.step++
	return f.planAt(f.step, "call-"+name, name, arguments)
}

func (f *fixture) planAt(step int, callID, name, arguments string) automation.PlannedCall {
	f.t.Helper()
	var planned []automation.PlannedCall
	err := f.db.Tx(f.t.Context(), func(q *store.Queries) error {
		var err error
		planned, err = f.x.Plan(f.t.Context(), q, tool.Turn{Run: f.run, Catalogue: f.cat, Step: step, Stamp: stamp},
			[]llm.Call{{CallID: callID, Name: "mcp_test__" + name, Arguments: arguments}})
		return err
	})
	require.NoError(f.t, err)
	require.Len(f.t, planned, 1)
	return planned[0]
}

func (f *fixture) input(c automation.PlannedCall) automation.CallInput {
	return automation.CallInput{RunID: f.run.ID, Step: f.step, ID: c.ID, Decision: c.Decision, State: automation.Running, Seq: int64(10 * f.step)}
}

func (f *fixture) execute(c automation.PlannedCall) (automation.CallResult, error) {
	return f.x.Execute(f.t.Context(), f.input(c), stamp, nil)
}

func (f *fixture) row(c automation.PlannedCall) *store.ToolCall {
	f.t.Helper()
	row, err := f.db.GetCall(f.t.Context(), store.GetCallParams{ID: c.ID, RunID: f.run.ID})
	require.NoError(f.t, err)
	return row
}

// result opens what the call left behind.
func (f *fixture) result(c automation.PlannedCall) string {
	f.t.Helper()
	plain, err := f.ring.Open(tool.ResultBinding(owner, c.ID), f.row(c).ResultSealed)
	require.NoError(f.t, err)
	return string(plain)
}

// effects counts what really happened outside.
func (f *fixture) effects(c automation.PlannedCall) int {
	f.t.Helper()
	m, err := filepath.Glob(filepath.Join(f.dir, c.ID+"-*"))
	require.NoError(f.t, err)
	return len(m)
}

// kinds lists the audit events of the run in order, with the state where there is one.
func (f *fixture) kinds() []string {
	f.t.Helper()
	events, err := f.db.ListAudit(f.t.Context(), store.ListAuditParams{Chain: automation.AuditChain(f.run.ID), PageSize: 1000})
	require.NoError(f.t, err)
	var out []string
	for _, e := range events {
		var body struct{ State, ResolvedBy string }
		require.NoError(f.t, json.Unmarshal([]byte(e.Body), &body))
		out = append(out, strings.TrimSpace(e.Kind+" "+body.State))
	}
	return out
}

// decide answers the open question of a call the way the API does.
func (f *fixture) decide(c automation.PlannedCall, v automation.Verdict) string {
	f.t.Helper()
	q, err := f.db.OpenDecision(f.t.Context(), c.ID)
	require.NoError(f.t, err)
	_, err = f.db.Decide(f.t.Context(), store.DecideParams{ID: q.ID, Owner: owner, Verdict: string(v), DecidedBy: owner})
	require.NoError(f.t, err)
	return q.ID
}
