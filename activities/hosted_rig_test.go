package activities_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"

	"steward/activities"
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

// recording is one recorded exchange with a provider, of which the answer is served.
type recording struct {
	Response struct {
		Status  int
		Headers map[string]string
		Body    json.RawMessage
	}
}

func recorded(t *testing.T, name string) []recording {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "internal", "llm", "testdata", "recordings", name+".json"))
	require.NoError(t, err)
	var doc struct{ Exchanges []recording }
	require.NoError(t, json.Unmarshal(raw, &doc))
	return doc.Exchanges
}

func answers(rs ...recording) (out []http.HandlerFunc) {
	for _, r := range rs {
		out = append(out, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(r.Response.Status)
			_, _ = w.Write(r.Response.Body)
		})
	}
	return out
}

// purse is a user's credential as a server wants it; it can be renewed.
type purse struct {
	mu        sync.Mutex
	version   int64
	refreshes int
	ended     bool
}

func (p *purse) token() (secret.String, int64, error) {
	if p.ended {
		return secret.String{}, 0, &oauth.ConsentError{Provider: "google", Version: p.version, Reason: "consent again"}
	}
	return secret.New(fmt.Sprintf("canary-lent-token-%d", p.version)), p.version, nil
}

func (p *purse) Token(context.Context, string, string) (secret.String, int64, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.token()
}

func (p *purse) Refresh(_ context.Context, _, _ string, stale int64) (secret.String, int64, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.version == stale {
		p.version++
		p.refreshes++
	}
	return p.token()
}

func (*purse) Calibrate(context.Context, oauth.Resource) (oauth.Authority, error) {
	return oauth.Authority{}, errors.New("nobody authorizes this")
}

func (p *purse) Credential(context.Context, string, string) (*oauth.Credential, error) {
	return &oauth.Credential{Expires: time.Now().Add(time.Hour)}, nil
}

// hostedRig is a run in hosted mode over a real database, with a provider that answers by a script.
type hostedRig struct {
	t    *testing.T
	db   *store.DB
	ring *secret.Ring
	env  *testsuite.TestActivityEnvironment
	acts *activities.Run
	run  *store.AutomationRun
	seq  int64

	purse    *purse
	provider *httptest.Server
	mu       sync.Mutex
	script   []http.HandlerFunc
	sent     []sentBody // requests that the provider received
}

// sentBody is the part of a request that these tests look at.
type sentBody struct {
	Input []struct {
		Type, ID  string
		Question  string `json:"approval_request_id"`
		Approve   *bool
		Reason    string
		Arguments string
	}
	Tools []struct {
		Type, Authorization string
		Label               string   `json:"server_label"`
		URL                 string   `json:"server_url"`
		Allowed             []string `json:"allowed_tools"`
		Approval            any      `json:"require_approval"`
		Headers             map[string]string
	}
	raw string
}

// approvals are the answers to the provider's questions, in order.
func (b sentBody) approvals() (out []string) {
	for _, it := range b.Input {
		if it.Type == "mcp_approval_response" {
			out = append(out, fmt.Sprintf("%s %t %s", it.Question, *it.Approve, it.Reason))
		}
	}
	return out
}

const hostedOwner = "alice"

// direct is a provider of which one request brings the answer.
var direct = []string{"-background", "-stream", "-input_tokens", "-compact"}

func newHostedRig(t *testing.T, server registry.Server, cat tool.Catalogue, approval string, script ...http.HandlerFunc) *hostedRig {
	t.Helper()
	return newHostedRigWith(t, direct, server, cat, approval, script...)
}

func newHostedRigWith(t *testing.T, features []string, server registry.Server, cat tool.Catalogue, approval string, script ...http.HandlerFunc) *hostedRig {
	t.Helper()
	rig := &hostedRig{t: t, db: storetest.New(t), purse: &purse{version: 1}, script: script}
	rig.provider = httptest.NewServer(http.HandlerFunc(rig.answer))
	t.Cleanup(rig.provider.Close)
	key, err := config.NewKey()
	require.NoError(t, err)
	rig.ring, err = secret.NewRing(secret.New(key))
	require.NoError(t, err)
	log := slog.New(slog.DiscardHandler)
	kept, err := vault.New(rig.db, rig.ring)
	require.NoError(t, err)
	reg, err := registry.New(rig.db, rig.ring, rig.purse, kept, egress.New(egress.Rules{}), registry.Options{}, log)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, reg.Close(context.WithoutCancel(t.Context()))) })
	connections, err := connector.NewConnections(connector.Options{Credentials: &oauth.Service{}})
	require.NoError(t, err)
	executor, err := tool.NewExecutor(rig.db, rig.ring, reg, connections, log, tool.Options{Expiry: 7 * 24 * time.Hour})
	require.NoError(t, err)
	prices, err := price.Load("")
	require.NoError(t, err)
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	model, err := llm.New(llm.Config{
		BaseURL: rig.provider.URL + "/v1", Key: secret.New("sk-canary-model-key"), HTTP: &http.Client{Transport: transport},
		Provider: "openai", Features: features, Prices: prices,
	})
	require.NoError(t, err)
	book, err := spending.New(prices, spending.Limits{})
	require.NoError(t, err)
	rig.acts, err = activities.New(activities.Deps{
		DB: rig.db, Ring: rig.ring, Registry: reg, Connections: connections, Executor: executor, Model: model, Spending: book, Log: log, Queue: "steward-worker-test",
	})
	require.NoError(t, err)
	require.NoError(t, registry.Register(t.Context(), rig.db.Queries, rig.ring, server))
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(sdklog.NewStructuredLogger(log))
	rig.env = suite.NewTestActivityEnvironment()
	rig.env.RegisterActivity(rig.acts)
	rig.newRun(cat, approval)
	return rig
}

func (rig *hostedRig) newRun(cat tool.Catalogue, approval string) {
	ctx := rig.t.Context()
	sealed, err := rig.ring.Seal(run.InstructionsBinding(hostedOwner, "run/hosted"), []byte("shorten the link"))
	require.NoError(rig.t, err)
	rig.run, err = rig.db.InsertRun(ctx, store.InsertRunParams{
		Mode: string(automation.ModeProvider), Connections: []string{}, Owner: hostedOwner, Actor: hostedOwner, WorkflowID: "run/hosted", ServerIDs: []int64{9},
		InstructionsSealed: sealed, Model: "gpt-5-mini", Approval: approval, Limits: json.RawMessage(`{"steps":10,"tokens":1000000,"wall_seconds":1800}`), Metadata: json.RawMessage("{}"),
	})
	require.NoError(rig.t, err)
	doc, err := json.Marshal(cat)
	require.NoError(rig.t, err)
	require.NoError(rig.t, rig.db.PutCatalogue(ctx, store.PutCatalogueParams{RunID: rig.run.ID, Snapshot: doc}))
}

func (rig *hostedRig) answer(w http.ResponseWriter, r *http.Request) {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	rig.mu.Lock()
	defer rig.mu.Unlock()
	body := sentBody{raw: string(raw)}
	if len(rig.script) == 0 || r.Method == http.MethodPost && json.Unmarshal(raw, &body) != nil {
		w.WriteHeader(http.StatusTeapot)
		return
	}
	if r.Method == http.MethodPost {
		rig.sent = append(rig.sent, body)
	}
	next := rig.script[0]
	rig.script = rig.script[1:]
	next(w, r)
}

// requests are what the provider has received so far.
func (rig *hostedRig) requests() []sentBody {
	rig.mu.Lock()
	defer rig.mu.Unlock()
	return slices.Clone(rig.sent)
}

// plan asks the model for a step, as an attempt of its own.
func (rig *hostedRig) plan(step int) (automation.PlanResult, error) {
	rig.t.Helper()
	rig.seq += 2
	value, err := rig.env.ExecuteActivity(rig.acts.PlanStep, automation.PlanInput{RunID: rig.run.ID, Step: step, Seq: rig.seq})
	var out automation.PlanResult
	if err == nil {
		require.NoError(rig.t, value.Get(&out))
	}
	return out, err
}

func (rig *hostedRig) mustPlan(step int) automation.PlanResult {
	rig.t.Helper()
	out, err := rig.plan(step)
	require.NoError(rig.t, err)
	return out
}

// decide answers the open question of a call as the API does, and settles it as the workflow does.
func (rig *hostedRig) decide(c automation.PlannedCall, v automation.Verdict, note string) automation.CallResult {
	rig.t.Helper()
	q, err := rig.db.OpenDecision(rig.t.Context(), c.ID)
	require.NoError(rig.t, err)
	_, err = rig.db.Decide(rig.t.Context(), store.DecideParams{ID: q.ID, Owner: hostedOwner, Verdict: string(v), DecidedBy: hostedOwner, Note: note})
	require.NoError(rig.t, err)
	return rig.settle(c, q.ID, v)
}

func (rig *hostedRig) settle(c automation.PlannedCall, decision string, v automation.Verdict) automation.CallResult {
	rig.t.Helper()
	rig.seq += 2
	value, err := rig.env.ExecuteActivity(rig.acts.SettleCall, automation.CallInput{
		RunID: rig.run.ID, ID: c.ID, Decision: decision, Verdict: v, Seq: rig.seq, State: automation.Running,
	})
	require.NoError(rig.t, err)
	var out automation.CallResult
	require.NoError(rig.t, value.Get(&out))
	return out
}

func (rig *hostedRig) calls() []*store.ListCallSummariesRow {
	rig.t.Helper()
	rows, err := rig.db.ListCallSummaries(rig.t.Context(), store.ListCallSummariesParams{RunID: rig.run.ID, Owner: hostedOwner})
	require.NoError(rig.t, err)
	return rows
}

// events are the bodies of the run's audit events of one kind. None of any kind may hold a secret.
func (rig *hostedRig) events(kind string) (out []string) {
	rig.t.Helper()
	rows, err := rig.db.ListAudit(rig.t.Context(), store.ListAuditParams{Chain: automation.AuditChain(rig.run.ID), PageSize: 1000})
	require.NoError(rig.t, err)
	for _, e := range rows {
		require.NotContains(rig.t, e.Body, "canary", e.Kind)
		if e.Kind == kind {
			out = append(out, e.Body)
		}
	}
	return out
}

// zip1 is the server of the recorded approval chain, with the tools that it had then.
func zip1(t *testing.T) (registry.Server, tool.Catalogue) {
	t.Helper()
	server := registry.Server{ID: 9, Name: "zip1", Description: "Link shortener", Transport: "http", URL: "https://zip1.io/mcp", Trusted: true}
	return server, listed(t, recorded(t, "vai-01-mcp-approval-chain")[0], "zip1")
}

// listed makes a catalogue of the tools that a recorded answer lists. Those that the server calls read-only are.
func listed(t *testing.T, r recording, server string) tool.Catalogue {
	t.Helper()
	var body struct {
		Output []struct {
			Type  string
			Tools []struct {
				Name, Description string
				InputSchema       json.RawMessage `json:"input_schema"`
				Annotations       struct {
					ReadOnly bool `json:"read_only"`
				}
			}
		}
	}
	require.NoError(t, json.Unmarshal(r.Response.Body, &body))
	var cat tool.Catalogue
	for _, item := range body.Output {
		for _, o := range item.Tools {
			class := automation.Effect
			if o.Annotations.ReadOnly {
				class = automation.Read
			}
			cat.Tools = append(cat.Tools, tool.Tool{
				Function: "mcp_" + server + "__" + o.Name, Server: 9, ServerName: server, Name: o.Name, Description: o.Description,
				InputSchema: o.InputSchema, Pin: secret.Digest(o.InputSchema), Class: class,
			})
		}
	}
	require.NotEmpty(t, cat.Tools)
	return cat
}
