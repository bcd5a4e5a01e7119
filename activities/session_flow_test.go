package activities_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"steward/activities"
	"steward/dev/stack/stacktest"
	"steward/internal/audit"
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
	"steward/workflows"
)

// house is a run on a real Temporal server, with workers that come and go and a model that calls a counter.
type house struct {
	t        *testing.T
	url      secret.String
	db       *store.DB
	ring     *secret.Ring
	temporal client.Client
	model    *httptest.Server
	run      *store.AutomationRun

	mu     sync.Mutex
	before func(answered int) // a turn, with the number of calls that were answered
}

// hand is one worker process, on the common queue and on its own.
type hand struct{ common, home worker.Worker }

func newHouse(t *testing.T) *house {
	t.Helper()
	url, _ := storetest.URLs(t)
	h := &house{t: t, url: url, temporal: stacktest.DialTemporal(t, storetest.Server(t))}
	var err error
	h.db, err = store.Open(t.Context(), url, 4)
	require.NoError(t, err)
	t.Cleanup(h.db.Close)
	key, err := config.NewKey()
	require.NoError(t, err)
	h.ring, err = secret.NewRing(secret.New(key))
	require.NoError(t, err)
	self, err := os.Executable()
	require.NoError(t, err)
	require.NoError(t, registry.Register(t.Context(), h.db.Queries, h.ring, registry.Server{
		ID: 1, Name: "counter", Transport: "stdio", Command: self, Trusted: true, Env: map[string]secret.String{"STEWARD_TEST_COUNTER": secret.New("on")},
	}))
	h.model = httptest.NewServer(http.HandlerFunc(h.turn))
	t.Cleanup(h.model.Close)
	sealed, err := h.ring.Seal(run.InstructionsBinding("alice", "run/counter"), []byte("count"))
	require.NoError(t, err)
	h.run, err = h.db.InsertRun(t.Context(), store.InsertRunParams{
		Mode: "worker", Connections: []string{}, Owner: "alice", Actor: "alice", WorkflowID: "run/counter", ServerIDs: []int64{1}, ServersNamed: true,
		InstructionsSealed: sealed, Model: "gpt-5-mini", Approval: tool.ApproveNever,
		Limits: json.RawMessage(`{"steps":10,"tokens":1000000,"wall_seconds":1800}`), Metadata: json.RawMessage("{}"),
	})
	require.NoError(t, err)
	return h
}

// turn asks for two calls, then for one, for one, and then ends.
func (h *house) turn(w http.ResponseWriter, r *http.Request) {
	var body struct{ Input []struct{ Type string } }
	_ = json.NewDecoder(r.Body).Decode(&body)
	answered := 0
	for _, it := range body.Input {
		if it.Type == "function_call_output" {
			answered++
		}
	}
	h.mu.Lock()
	if h.before != nil {
		h.before(answered)
	}
	h.mu.Unlock()
	var output []any
	for i := range map[int]int{0: 2, 2: 1, 3: 1}[answered] {
		output = append(output, map[string]any{
			"type": "function_call", "call_id": fmt.Sprintf("c%d", answered+i), "name": "mcp_counter__count", "arguments": fmt.Sprintf(`{"n":%d}`, answered+i),
		})
	}
	if output == nil {
		output = []any{map[string]any{"type": "message", "role": "assistant", "content": []any{map[string]any{"type": "output_text", "text": "counted"}}}}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{
		"id": fmt.Sprintf("resp_%d", answered), "object": "response", "model": "gpt-5-mini", "status": "completed", "output": output,
		"usage": map[string]any{"input_tokens": 10, "output_tokens": 1, "total_tokens": 11},
	})
}

// newHand starts a worker, as a process does.
func (h *house) newHand(queue string) *hand {
	t, log := h.t, slog.New(slog.DiscardHandler)
	db, err := store.Open(t.Context(), h.url, 8)
	require.NoError(t, err)
	t.Cleanup(db.Close)
	kept, err := vault.New(db, h.ring)
	require.NoError(t, err)
	reg, err := registry.New(db, h.ring, &oauth.Service{}, kept, egress.New(egress.Rules{}), registry.Options{}, log)
	require.NoError(t, err)
	t.Cleanup(func() { _ = reg.Close(context.WithoutCancel(t.Context())) })
	connections, err := connector.NewConnections(connector.Options{Credentials: &oauth.Service{}})
	require.NoError(t, err)
	executor, err := tool.NewExecutor(db, h.ring, reg, connections, log, tool.Options{})
	require.NoError(t, err)
	prices, err := price.Load("")
	require.NoError(t, err)
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	model, err := llm.New(llm.Config{
		BaseURL: h.model.URL + "/v1", Key: secret.New("sk-canary-model-key"), HTTP: &http.Client{Transport: transport, Timeout: 20 * time.Second},
		Provider: "openai", Features: []string{"-background", "-stream", "-input_tokens", "-compact"}, Prices: prices,
	})
	require.NoError(t, err)
	book, err := spending.New(prices, spending.Limits{})
	require.NoError(t, err)
	acts, err := activities.New(activities.Deps{
		DB: db, Ring: h.ring, Registry: reg, Connections: connections, Executor: executor, Model: model, Spending: book, Log: log, Queue: queue,
	})
	require.NoError(t, err)
	w := &hand{}
	options := worker.Options{
		MaxHeartbeatThrottleInterval: time.Second, DisableRegistrationAliasing: true,
		StickyScheduleToStartTimeout: time.Second, // a workflow task waits so long for the worker that died
	}
	w.common = worker.New(h.temporal, automation.TaskQueue, options)
	w.common.RegisterWorkflowWithOptions(workflows.AutomationRun, workflow.RegisterOptions{Name: automation.WorkflowRun})
	options.DisableWorkflowWorker = true
	w.home = worker.New(h.temporal, queue, options)
	for name, method := range map[string]any{
		automation.ActivityResolveTools: acts.ResolveTools, automation.ActivityPlanStep: acts.PlanStep, automation.ActivityParkRun: acts.ParkRun,
		automation.ActivityCallTool: acts.CallTool, automation.ActivitySettleCall: acts.SettleCall, automation.ActivityFinish: acts.Finish,
	} {
		w.common.RegisterActivityWithOptions(method, activity.RegisterOptions{Name: name})
	}
	w.home.RegisterActivityWithOptions(acts.CallTool, activity.RegisterOptions{Name: automation.ActivityCallTool})
	require.NoError(t, w.common.Start())
	require.NoError(t, w.home.Start())
	t.Cleanup(w.home.Stop)
	t.Cleanup(w.common.Stop)
	return w
}

// results are what the calls answered, in order.
func (h *house) results() (out []string) {
	rows, err := h.db.ListCallsBefore(h.t.Context(), store.ListCallsBeforeParams{RunID: h.run.ID, BeforeStep: 99})
	require.NoError(h.t, err)
	for _, r := range rows {
		plain, err := h.ring.Open(tool.ResultBinding("alice", r.ID), r.ResultSealed)
		require.NoError(h.t, err)
		out = append(out, string(plain))
	}
	return out
}

func TestStatefulSessionsStayWithTheirRun(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	hands := map[string]*hand{}
	for _, queue := range []string{"steward-worker-one", "steward-worker-two"} {
		hands[queue] = h.newHand(queue)
	}
	var died sync.WaitGroup
	dead := false
	h.before = func(answered int) {
		if answered != 3 || dead {
			return
		}
		dead = true
		var queue string
		if err := h.db.Pool.QueryRow(t.Context(), "SELECT worker FROM run_sessions WHERE run_id = $1", h.run.ID).Scan(&queue); err != nil {
			t.Error(err)
			return
		}
		hands[queue].home.Stop()
		died.Go(hands[queue].common.Stop) // the turn may be asked for by this very worker
	}
	run, err := h.temporal.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: "run/counter", TaskQueue: automation.TaskQueue},
		automation.WorkflowRun, automation.RunInput{RunID: h.run.ID})
	require.NoError(t, err)
	var out automation.RunResult
	require.NoError(t, run.Get(t.Context(), &out))
	died.Wait()
	require.Equal(t, automation.Success, out.State)

	results := h.results()
	require.Len(t, results, 4)
	child := func(i int) string { _, name, _ := strings.Cut(results[i], " of "); return name }
	require.ElementsMatch(t, []string{"1 of " + child(0), "2 of " + child(0)}, results[:2], "one session for both")
	require.Equal(t, "3 of "+child(0), results[2])
	require.Equal(t, "1 of "+child(3), results[3], "another worker begins anew")
	require.NotEqual(t, child(0), child(3))

	events, err := h.db.ListAudit(t.Context(), store.ListAuditParams{Chain: automation.AuditChain(h.run.ID), PageSize: 1000})
	require.NoError(t, err)
	moved := 0
	for _, e := range events {
		if e.Kind == audit.SessionMoved {
			moved++
			require.Contains(t, e.Body, "does not answer")
		}
	}
	require.Equal(t, 1, moved)
	r := audit.CheckTemporal(t.Context(), h.db, audit.TemporalHistory(h.temporal))
	require.Empty(t, r.Findings)
}
