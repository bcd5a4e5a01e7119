package activities

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/automation"
	"steward/internal/config"
	"steward/internal/connector"
	"steward/internal/egress"
	"steward/internal/llm"
	"steward/internal/llm/price"
	"steward/internal/oauth"
	"steward/internal/registry"
	"steward/internal/run"
	"steward/internal/secret"
	"steward/internal/spending"
	"steward/internal/store"
	"steward/internal/storetest"
	"steward/internal/tool"
	"steward/internal/vault"
)

// rig is a run over a real database and a model over HTTP. Attempts of activities are made by hand, so that a
// worker can die between any two.
type rig struct {
	t      *testing.T
	url    secret.String
	db     *store.DB
	ring   *secret.Ring
	model  *provider
	worker *Run
	run    *store.AutomationRun
	opts   options
	seq    int64

	pending string // what the last plan has left with the provider
}

// options are what tests vary.
type options struct {
	features string // of the provider, such as "background,stream"
	baseURL  string // of another model
	limits   automation.Limits
	spending spending.Limits
	schema   string
	model    string
	context  int64
}

const owner = "alice"

func newRig(t *testing.T, p *provider, o options) *rig {
	t.Helper()
	url, _ := storetest.URLs(t)
	g := &rig{t: t, url: url, model: p, opts: o}
	key, err := config.NewKey()
	require.NoError(t, err)
	g.ring, err = secret.NewRing(secret.New(key))
	require.NoError(t, err)
	g.worker = g.newWorker()
	g.db = g.worker.db
	limits := automation.Limits{Steps: 40, Tokens: 1_000_000, WallSeconds: 1800}
	if o.limits != (automation.Limits{}) {
		limits = o.limits
	}
	doc, err := json.Marshal(limits)
	require.NoError(t, err)
	sealed, err := g.ring.Seal(run.InstructionsBinding(owner, "run/test"), []byte("count the mails"))
	require.NoError(t, err)
	if o.model == "" {
		o.model = "gpt-5-mini"
	}
	var schema json.RawMessage
	if o.schema != "" {
		schema = json.RawMessage(o.schema)
	}
	g.run, err = g.db.InsertRun(t.Context(), store.InsertRunParams{
		Owner: owner, Actor: owner, WorkflowID: "run/test", ServerIDs: []int64{}, Connections: []string{}, Mode: "worker",
		InstructionsSealed: sealed, Model: o.model, Approval: tool.ApproveNever, Limits: doc, Metadata: json.RawMessage("{}"),
		OutputSchema: schema,
	})
	require.NoError(t, err)
	cat, err := json.Marshal(tool.Catalogue{Tools: []tool.Tool{{
		Function: "mcp_mail__list", Server: 1, ServerName: "mail", Name: "list", Class: automation.Read, Pin: "pin",
		InputSchema: json.RawMessage(`{"type":"object"}`),
	}}})
	require.NoError(t, err)
	require.NoError(t, g.db.PutCatalogue(t.Context(), store.PutCatalogueParams{RunID: g.run.ID, Snapshot: cat}))
	return g
}

// newWorker makes one more worker on the same database.
func (g *rig) newWorker() *Run {
	g.t.Helper()
	t, log := g.t, slog.New(slog.DiscardHandler)
	db, err := store.Open(t.Context(), g.url, 8)
	require.NoError(t, err)
	t.Cleanup(db.Close)
	kept, err := vault.New(db, g.ring)
	require.NoError(t, err)
	reg, err := registry.New(db, g.ring, &oauth.Service{}, kept, egress.New(egress.Rules{}), registry.Options{}, log)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, reg.Close(context.WithoutCancel(t.Context()))) })
	connections, err := connector.NewConnections(connector.Options{Credentials: &oauth.Service{}})
	require.NoError(t, err)
	executor, err := tool.NewExecutor(db, g.ring, reg, connections, log, tool.Options{})
	require.NoError(t, err)
	prices, err := price.Load("")
	require.NoError(t, err)
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	base := g.opts.baseURL
	if base == "" {
		base = g.model.URL + "/v1"
	}
	features := []string{"-background", "-stream", "-input_tokens", "-compact"}
	if g.opts.features != "" {
		features = append(features, strings.Split(g.opts.features, ",")...)
	}
	model, err := llm.New(llm.Config{
		BaseURL: base, Key: secret.New("sk-canary-model-key"), HTTP: &http.Client{Transport: transport, Timeout: 20 * time.Second},
		Provider: "openai", Features: features, Prices: prices, Context: g.opts.context,
	})
	require.NoError(t, err)
	book, err := spending.New(prices, g.opts.spending)
	require.NoError(t, err)
	w, err := New(Deps{DB: db, Ring: g.ring, Registry: reg, Connections: connections, Executor: executor, Model: model, Spending: book, Log: log, Queue: "steward-worker-test"})
	require.NoError(t, err)
	return w
}

// at names an attempt: of which activity, and the how many-th.
type at struct {
	activity string
	attempt  int32
}

func (g *rig) attempt(step int, where at) *attempt {
	g.seq += 2
	return &attempt{
		in: automation.PlanInput{RunID: g.run.ID, Step: step, Seq: g.seq}, doing: &progress{},
		stamp: tool.Stamp{TemporalRunID: "t1", ActivityID: where.activity, Attempt: where.attempt},
	}
}

func (g *rig) plan(step int, where at) (automation.PlanResult, error) {
	return g.planWith(g.t.Context(), g.worker, step, where)
}

func (g *rig) planWith(ctx context.Context, w *Run, step int, where at) (automation.PlanResult, error) {
	a := g.attempt(step, where)
	out, err := w.planStep(ctx, a)
	g.pending = a.pending
	return g.conclude(ctx, w, a, out, err)
}

// await is a whole attempt; plan is one that ends where the provider has taken the request.
func (g *rig) await(step int, where at) (automation.PlanResult, error) {
	return g.awaitWith(g.t.Context(), g.worker, step, where)
}

func (g *rig) awaitWith(ctx context.Context, w *Run, step int, where at) (automation.PlanResult, error) {
	a := g.attempt(step, where)
	out, err := w.planStep(ctx, a)
	for err == nil && a.pending != "" {
		out, err = w.awaitStep(ctx, a)
	}
	return g.conclude(ctx, w, a, out, err)
}

// conclude does as the activities do, without Temporal.
func (g *rig) conclude(ctx context.Context, w *Run, a *attempt, out automation.PlanResult, err error) (automation.PlanResult, error) {
	out, err = w.outcome(ctx, a, out, err)
	return out, failure(err)
}

// row is the run as it stands.
func (g *rig) row() *store.AutomationRun {
	g.t.Helper()
	row, err := g.db.GetRunForWorker(context.WithoutCancel(g.t.Context()), g.run.ID)
	require.NoError(g.t, err)
	return row
}

func (g *rig) usage() (u automation.Usage) {
	g.t.Helper()
	require.NoError(g.t, json.Unmarshal(g.row().Usage, &u))
	return u
}

// output opens what the run left its owner.
func (g *rig) output() (out Output) {
	g.t.Helper()
	row := g.row()
	doc, err := g.ring.Open(run.OutputBinding(owner, row.WorkflowID), row.OutputSealed)
	require.NoError(g.t, err)
	require.NoError(g.t, json.Unmarshal(doc, &out))
	return out
}

// kinds lists the run's audit events. None may hold a secret.
func (g *rig) kinds() (kinds []string) {
	g.t.Helper()
	rows, err := g.db.ListAudit(context.WithoutCancel(g.t.Context()), store.ListAuditParams{Chain: automation.AuditChain(g.run.ID), PageSize: 1000})
	require.NoError(g.t, err)
	for _, e := range rows {
		require.NotContains(g.t, e.Body, "canary")
		kinds = append(kinds, e.Kind)
	}
	return kinds
}

// answered settles the calls of a step with a result, as CallTool does.
func (g *rig) answered(planned []automation.PlannedCall, result string) {
	g.t.Helper()
	for _, c := range planned {
		sealed, err := g.ring.Seal(tool.ResultBinding(owner, c.ID), []byte(result))
		require.NoError(g.t, err)
		_, err = g.db.Pool.Exec(g.t.Context(), "UPDATE tool_calls SET state = 'done', result_sealed = $2, result_bytes = $3, settled_at = now() WHERE id = $1",
			c.ID, sealed, len(result))
		require.NoError(g.t, err)
	}
}

// modelCalls are the requests that are written down: status and charge, in order.
func (g *rig) modelCalls() (rows []store.ModelCall) {
	g.t.Helper()
	found, err := g.db.Pool.Query(context.WithoutCancel(g.t.Context()),
		"SELECT activity_id, attempt, request, status, charged_tokens, bounded FROM model_calls WHERE run_id = $1 ORDER BY started_at", g.run.ID)
	require.NoError(g.t, err)
	defer found.Close()
	for found.Next() {
		var m store.ModelCall
		require.NoError(g.t, found.Scan(&m.ActivityID, &m.Attempt, &m.Request, &m.Status, &m.ChargedTokens, &m.Bounded))
		rows = append(rows, m)
	}
	require.NoError(g.t, found.Err())
	return rows
}
