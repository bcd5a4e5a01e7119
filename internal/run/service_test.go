package run_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"

	"steward/internal/auth"
	"steward/internal/automation"
	"steward/internal/config"
	"steward/internal/connector"
	"steward/internal/fault"
	"steward/internal/oauth"
	"steward/internal/registry"
	"steward/internal/run"
	"steward/internal/secret"
	"steward/internal/store"
	"steward/internal/storetest"
)

var alice = auth.Principal{Owner: "alice", Actor: "alice"}

// noEdits stands in for the executor, which needs a run's catalogue.
type noEdits struct{}

func (noEdits) CheckEdit(context.Context, int64, *store.ToolCall, json.RawMessage) ([]byte, string, error) {
	return []byte("sealed"), "edited", nil
}

func (noEdits) CheckAnswer(*store.Decision, json.RawMessage) ([]byte, error) {
	return []byte("sealed"), nil
}

// newService is a service whose Temporal is down: everything here must work all the same.
func newService(t *testing.T, queue int) (*run.Service, *store.DB) {
	t.Helper()
	s, db, _ := newServiceWith(t, run.Options{QueueLimit: queue})
	return s, db
}

func newServiceWith(t *testing.T, o run.Options) (*run.Service, *store.DB, *secret.Ring) {
	t.Helper()
	db := storetest.New(t)
	key, err := config.NewKey()
	require.NoError(t, err)
	ring, err := secret.NewRing(secret.New(key))
	require.NoError(t, err)
	temporal, err := client.NewLazyClient(client.Options{HostPort: "127.0.0.1:1", Logger: sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler))})
	require.NoError(t, err)
	connections, err := connector.NewConnections(connector.Options{Credentials: &oauth.Service{}})
	require.NoError(t, err)
	o.Model, o.Limits, o.InstructionsMax = "m", automation.Limits{Steps: 40, Tokens: 1000, WallSeconds: 60}, 100
	if o.QueueLimit == 0 {
		o.QueueLimit = 100
	}
	s, err := run.New(db, ring, temporal, noEdits{}, connections, slog.New(slog.DiscardHandler), o)
	require.NoError(t, err)
	t.Cleanup(func() { s.Close(); temporal.Close() })
	require.NoError(t, registry.Register(t.Context(), db.Queries, ring, registry.Server{ID: 1, Name: "mailbox", Transport: "stdio", Command: "x"}))
	return s, db, ring
}

func TestStartCommitsTheRowWhileTemporalIsDown(t *testing.T) {
	t.Parallel()
	s, db := newService(t, 10)
	out, err := s.Start(t.Context(), alice, run.Request{Instructions: "do it", MCPServerID: 1})
	require.NoError(t, err)
	row, err := db.GetRun(t.Context(), store.GetRunParams{ID: out.RunID, Owner: "alice"})
	require.NoError(t, err)
	require.Equal(t, "queued", row.State)
	require.Equal(t, []int64{1}, row.ServerIDs)
	require.Nil(t, row.DispatchedAt)
	require.NotContains(t, string(row.InstructionsSealed), "do it")
	events, err := db.ListAudit(t.Context(), store.ListAuditParams{Chain: automation.AuditChain(out.RunID), PageSize: 10})
	require.NoError(t, err)
	require.Equal(t, "run.accepted", events[0].Kind)
	require.NotContains(t, events[0].Body, "do it")
}

func TestBadRequestsWriteNothing(t *testing.T) {
	t.Parallel()
	s, db := newService(t, 10)
	for name, tc := range map[string]struct {
		request  run.Request
		location string
	}{
		"empty":          {run.Request{Instructions: " \n"}, "body.instructions"},
		"too long":       {run.Request{Instructions: strings.Repeat("x", 101)}, "body.instructions"},
		"NUL":            {run.Request{Instructions: "a\x00b"}, "body.instructions"},
		"approval":       {run.Request{Instructions: "x", Approval: "maybe"}, "body.approval"},
		"negative steps": {run.Request{Instructions: "x", Limits: automation.Limits{Steps: -1}}, "body.limits.steps"},
		"many steps":     {run.Request{Instructions: "x", Limits: automation.Limits{Steps: 1001}}, "body.limits.steps"},
		"tokens":         {run.Request{Instructions: "x", Limits: automation.Limits{Tokens: 1 << 60}}, "body.limits.tokens"},
		"wall":           {run.Request{Instructions: "x", Limits: automation.Limits{WallSeconds: -5}}, "body.limits.wall_seconds"},
		"absent server":  {run.Request{Instructions: "x", MCPServerID: 99}, "body.mcp_server_id"},
		"absent name":    {run.Request{Instructions: "x", Servers: []string{"mailbox", "nope"}}, "body.servers[1]"},
	} {
		_, err := s.Start(t.Context(), alice, tc.request)
		require.True(t, fault.Is(err, fault.Invalid), "%s: %v", name, err)
		require.ErrorContains(t, err, tc.location, name)
	}
	runs, err := db.ListRuns(t.Context(), store.ListRunsParams{Owner: "alice", BeforeID: 1 << 62, PageSize: 10})
	require.NoError(t, err)
	require.Empty(t, runs)
}

func TestServersByNameIDAndDefault(t *testing.T) {
	t.Parallel()
	s, db := newService(t, 10)
	for _, servers := range [][]string{nil, {"mailbox"}, {"1", "mailbox"}} {
		out, err := s.Start(t.Context(), alice, run.Request{Instructions: "x", Servers: servers})
		require.NoError(t, err)
		row, err := db.GetRunForWorker(t.Context(), out.RunID)
		require.NoError(t, err)
		require.Equal(t, []int64{1}, row.ServerIDs, "%v", servers)
	}
}

func TestFullQueueIsRefusedWithRetryAfter(t *testing.T) {
	t.Parallel()
	s, _ := newService(t, 2)
	for range 2 {
		_, err := s.Start(t.Context(), alice, run.Request{Instructions: "x"})
		require.NoError(t, err)
	}
	_, err := s.Start(t.Context(), alice, run.Request{Instructions: "x"})
	require.Equal(t, "queue_full", fault.CodeOf(err))
	require.True(t, fault.Is(err, fault.Unavailable))
}

func TestIdempotencyKey(t *testing.T) {
	t.Parallel()
	s, db := newService(t, 1000)
	ask := func(p auth.Principal, key, body string) (run.Started, error) {
		return s.Start(t.Context(), p, run.Request{Instructions: body, IdempotencyKey: key, BodyDigest: []byte(body)})
	}
	first, err := ask(alice, "k", "one")
	require.NoError(t, err)
	again, err := ask(alice, "k", "one")
	require.NoError(t, err)
	require.Equal(t, run.Started{RunID: first.RunID, Replayed: true}, again)
	_, err = ask(alice, "k", "two")
	require.Equal(t, "idempotency_mismatch", fault.CodeOf(err))
	other, err := ask(auth.Principal{Owner: "bob", Actor: "bob"}, "k", "one")
	require.NoError(t, err)
	require.NotEqual(t, first.RunID, other.RunID, "keys belong to their owner")

	var wg sync.WaitGroup
	var mu sync.Mutex
	seen := map[int64]int{}
	for range 24 {
		wg.Go(func() {
			out, err := ask(alice, "burst", "x")
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				seen[out.RunID]++
			} else if fault.CodeOf(err) != "idempotency_in_progress" {
				seen[-1]++
			}
		})
	}
	wg.Wait()
	require.Len(t, seen, 1)
	require.NotContains(t, seen, int64(-1))
	_, err = db.DeleteExpiredIdempotencyKeys(t.Context())
	require.NoError(t, err)
}

func TestCancelBeforeTheWorkflowBegan(t *testing.T) {
	t.Parallel()
	s, db := newService(t, 10)
	out, err := s.Start(t.Context(), alice, run.Request{Instructions: "x"})
	require.NoError(t, err)
	for range 2 {
		row, err := s.Cancel(t.Context(), alice, out.RunID)
		require.NoError(t, err)
		require.NotNil(t, row.CancelRequestedAt)
	}
	_, err = s.Cancel(t.Context(), auth.Principal{Owner: "bob", Actor: "bob"}, out.RunID)
	require.True(t, fault.Is(err, fault.NotFound))
	_, err = db.FinishRun(t.Context(), store.FinishRunParams{ID: out.RunID, State: "cancelled", StateSeq: 1})
	require.NoError(t, err)
	_, err = s.Cancel(t.Context(), alice, out.RunID)
	require.Equal(t, "run_ended", fault.CodeOf(err))
}

// ask leaves an open question about a planned call.
func ask(t *testing.T, s *run.Service, db *store.DB, kind string) (runID int64, call string) {
	t.Helper()
	out, err := s.Start(t.Context(), alice, run.Request{Instructions: "x"})
	require.NoError(t, err)
	call = "call_" + rand.Text()
	_, err = db.InsertCall(t.Context(), store.InsertCallParams{
		ID: call, RunID: out.RunID, Owner: "alice", Step: 1, CallID: "c", FunctionName: "f", ToolName: "send", Class: "effect",
		Pin: "p", ArgumentsSealed: []byte("x"), ArgumentsPreview: json.RawMessage("{}"), Digest: "d", State: "waiting",
	})
	require.NoError(t, err)
	_, err = db.InsertDecision(t.Context(), store.InsertDecisionParams{
		ID: "dec_" + rand.Text(), RunID: out.RunID, Call: call, Owner: "alice", Kind: kind, Digest: "d", Pin: "p", Expiry: time.Hour,
	})
	require.NoError(t, err)
	return out.RunID, call
}

func TestDecideIsRecordedOnceAndDeliveredLater(t *testing.T) {
	t.Parallel()
	s, db := newService(t, 10)
	id, call := ask(t, s, db, "approval")
	good := run.Verdict{RunID: id, CallID: call, Verdict: automation.Approve, Digest: "d"}

	for name, tc := range map[string]struct {
		change func(*run.Verdict)
		who    auth.Principal
		code   string
	}{
		"stale digest":      {func(v *run.Verdict) { v.Digest = "old" }, alice, "stale_digest"},
		"foreign run":       {func(*run.Verdict) {}, auth.Principal{Owner: "bob"}, "not_found"},
		"absent call":       {func(v *run.Verdict) { v.CallID = "call_x" }, alice, "not_found"},
		"wrong kind":        {func(v *run.Verdict) { v.Verdict = automation.Skip }, alice, "invalid"},
		"edit without":      {func(v *run.Verdict) { v.Verdict = automation.Edit }, alice, "invalid"},
		"arguments without": {func(v *run.Verdict) { v.Arguments = json.RawMessage("{}") }, alice, "invalid"},
		"long reason":       {func(v *run.Verdict) { v.Reason = strings.Repeat("x", 2001) }, alice, "invalid"},
	} {
		v := good
		tc.change(&v)
		_, err := s.Decide(t.Context(), tc.who, v)
		require.Equal(t, tc.code, fault.CodeOf(err), "%s: %v", name, err)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	won := 0
	for _, verdict := range []automation.Verdict{automation.Approve, automation.Deny, automation.Approve, automation.Deny} {
		wg.Go(func() {
			v := good
			v.Verdict = verdict
			out, err := s.Decide(t.Context(), alice, v)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				won++
				require.False(t, out.Delivered, "Temporal is down")
			}
		})
	}
	wg.Wait()
	require.Equal(t, 1, won)
	waiting, err := db.ListUndeliveredDecisions(t.Context(), store.ListUndeliveredDecisionsParams{PageSize: 10})
	require.NoError(t, err)
	require.Len(t, waiting, 1, "the reconciler has it")
}

func TestAnswersGoToServersAlone(t *testing.T) {
	t.Parallel()
	s, db := newService(t, 10)
	id, call := ask(t, s, db, "input")
	good := run.Verdict{RunID: id, CallID: call, Verdict: automation.Answer, Digest: "d", Content: json.RawMessage(`{"pin":"1234"}`)}
	for name, change := range map[string]func(*run.Verdict){
		"content of a refusal": func(v *run.Verdict) { v.Verdict = automation.Decline },
		"an approval":          func(v *run.Verdict) { v.Verdict, v.Content = automation.Approve, nil },
	} {
		v := good
		change(&v)
		_, err := s.Decide(t.Context(), alice, v)
		require.True(t, fault.Is(err, fault.Invalid), "%s: %v", name, err)
	}
	_, err := s.Decide(t.Context(), alice, good)
	require.NoError(t, err)
	d, err := db.LatestInput(t.Context(), store.LatestInputParams{Call: call, Owner: "alice"})
	require.NoError(t, err)
	require.Equal(t, "answer", d.Verdict)
	require.Equal(t, "sealed", string(d.AnswerSealed))
	events, err := db.ListAudit(t.Context(), store.ListAuditParams{Chain: automation.AuditChain(id), PageSize: 10})
	require.NoError(t, err)
	for _, e := range events {
		require.NotContains(t, e.Body, "1234")
	}
}

func TestExpiredQuestionIsNotDecided(t *testing.T) {
	t.Parallel()
	s, db := newService(t, 10)
	id, call := ask(t, s, db, "unknown")
	_, err := db.Pool.Exec(t.Context(), "UPDATE decisions SET expires_at = now() - interval '1 second'")
	require.NoError(t, err)
	_, err = s.Decide(t.Context(), alice, run.Verdict{RunID: id, CallID: call, Verdict: automation.Skip, Digest: "d"})
	require.Equal(t, "already_decided", fault.CodeOf(err))
}
