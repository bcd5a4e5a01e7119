package run_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"steward/internal/automation"
	"steward/internal/config"
	"steward/internal/connector"
	"steward/internal/oauth"
	"steward/internal/run"
	"steward/internal/secret"
	"steward/internal/store"
	"steward/internal/storetest"
)

// bell is a Temporal that only takes signals.
type bell struct {
	client.Client

	mu   sync.Mutex
	rung []string // workflow ids
	gone map[string]bool
}

func (b *bell) SignalWorkflow(_ context.Context, workflowID, _, name string, arg any) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.gone[workflowID] {
		return serviceerror.NewNotFound("no such workflow")
	}
	if w, ok := arg.(automation.Wake); ok && name == automation.SignalWake && (w.State == automation.WaitingForAuth || w.State == automation.WaitingForApproval) {
		b.rung = append(b.rung, workflowID)
	}
	return nil
}

// newSleepers is a service, its Temporal, and a way to make a run sleep.
func newSleepers(t *testing.T) (*run.Service, *store.DB, *bell, func(owner, name string, state automation.State, w automation.Waiting)) {
	t.Helper()
	db, temporal := storetest.New(t), &bell{gone: map[string]bool{"run/ended in Temporal": true}}
	key, err := config.NewKey()
	require.NoError(t, err)
	ring, err := secret.NewRing(secret.New(key))
	require.NoError(t, err)
	connections, err := connector.NewConnections(connector.Options{Credentials: &oauth.Service{}})
	require.NoError(t, err)
	s, err := run.New(db, ring, temporal, noEdits{}, connections, slog.New(slog.DiscardHandler), run.Options{
		Model: "m", QueueLimit: 1, InstructionsMax: 1, Limits: automation.Limits{Steps: 1, Tokens: 1, WallSeconds: 1},
	})
	require.NoError(t, err)
	t.Cleanup(s.Close)

	sleep := func(owner, name string, state automation.State, w automation.Waiting) {
		row, err := db.InsertRun(t.Context(), store.InsertRunParams{
			Owner: owner, Actor: owner, WorkflowID: "run/" + name, ServerIDs: []int64{}, Connections: []string{}, Mode: "worker",
			InstructionsSealed: []byte("x"), Approval: "policy", Limits: json.RawMessage("{}"), Metadata: json.RawMessage("{}"),
		})
		require.NoError(t, err)
		doc, err := json.Marshal(w)
		require.NoError(t, err)
		require.NoError(t, db.SetRunState(t.Context(), store.SetRunStateParams{
			ID: row.ID, State: string(state), StateSeq: 2, Waiting: doc, Chain: automation.AuditChain(row.ID), EventKey: "k", Kind: "run.state", Actor: "worker", Body: "{}",
		}))
	}
	return s, db, temporal, sleep
}

func TestWakeTellsThoseWhoWaitForTheConsent(t *testing.T) {
	t.Parallel()
	s, db, temporal, sleep := newSleepers(t)
	google := func(version int64) automation.Waiting {
		return automation.Waiting{Provider: "google", Version: version}
	}
	sleep("alice", "first consent", automation.WaitingForAuth, google(0))
	sleep("alice", "older", automation.WaitingForAuth, google(1))
	sleep("alice", "not yet", automation.WaitingForAuth, google(2))
	sleep("alice", "beside a question", automation.WaitingForDecision, google(1))
	sleep("alice", "for the model", automation.WaitingForModel, automation.Waiting{Reason: "away"})
	sleep("alice", "of another provider", automation.WaitingForAuth, automation.Waiting{Provider: "slack"})
	sleep("alice", "ended in Temporal", automation.WaitingForAuth, google(1))
	sleep("bob", "not connected", automation.WaitingForAuth, google(0))
	_, err := db.Pool.Exec(t.Context(), `INSERT INTO credentials (owner, provider, subject, scopes, access_sealed, expires_at, version)
		VALUES ('alice', 'google', 's', '{}', '\x00', now(), 2)`)
	require.NoError(t, err)

	require.NoError(t, s.Wake(t.Context(), "bob"))
	require.Empty(t, temporal.rung)
	require.NoError(t, s.Wake(t.Context(), "alice"))
	require.Equal(t, []string{"run/first consent", "run/older", "run/beside a question"}, temporal.rung)
}

func TestWakeTellsThoseWhoWaitForAReview(t *testing.T) {
	t.Parallel()
	s, db, temporal, sleep := newSleepers(t)
	tool := func(name string) automation.Waiting {
		return automation.Waiting{Connector: "mail", Server: 7, Tool: name}
	}
	sleep("alice", "accepted", automation.WaitingForApproval, tool("send"))
	sleep("bob", "rejected", automation.WaitingForApproval, tool("post"))
	sleep("bob", "not yet", automation.WaitingForApproval, tool("wipe"))
	sleep("bob", "for a consent", automation.WaitingForAuth, automation.Waiting{Provider: "google"})
	for _, statement := range []string{
		"INSERT INTO mcp_servers (id, name, transport, args) VALUES (7, 'mail', 'http', '{}')",
		`INSERT INTO server_tools (server_id, name, pin, definition, position, state)
			VALUES (7, 'send', 'p', '{}', 0, 'approved'), (7, 'post', 'p', '{}', 1, 'rejected'), (7, 'wipe', 'p', '{}', 2, 'quarantined')`,
	} {
		_, err := db.Pool.Exec(t.Context(), statement)
		require.NoError(t, err)
	}
	require.NoError(t, s.WakeReviewed(t.Context(), 8))
	require.Empty(t, temporal.rung)
	require.NoError(t, s.WakeReviewed(t.Context(), 7))
	require.Equal(t, []string{"run/accepted", "run/rejected"}, temporal.rung)
}
