package activities

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"steward/internal/audit"
	"steward/internal/automation"
	"steward/internal/llm"
)

func TestAnswerFromTheBackgroundIsRecorded(t *testing.T) {
	t.Parallel()
	g := newRig(t, newProvider(t, text("two mails")), options{features: "background"})
	out, err := g.await(1, at{"5", 1})
	require.NoError(t, err)
	require.Equal(t, automation.Success, out.Final.State)
	require.Equal(t, "two mails", g.output().Text)
	require.Equal(t, []string{
		audit.RunState, audit.ModelCalled, audit.ModelAccepted, audit.ModelAnswered, audit.RunFinished,
	}, g.kinds())
	require.EqualValues(t, 1100, g.usage().TotalTokens)
	require.True(t, g.usage().CostKnown)
	require.Positive(t, g.usage().CostMicroUSD)
}

// Whenever a worker is killed after the provider's yes was written down, the request is paid for once.
func TestKilledWorkersPayOnce(t *testing.T) {
	t.Parallel()
	g := newRig(t, newProvider(t, calls("mcp_mail__list")), options{features: "background"})
	_, err := g.plan(1, at{"5", 1})
	require.NoError(t, err)

	_, err = g.planWith(t.Context(), g.newWorker(), 1, at{"5", 2}) // killed before Temporal heard of the first
	require.NoError(t, err)
	require.Equal(t, "resp_1", g.pending)
	_, err = g.plan(1, at{"9", 1}) // the run slept in between
	require.NoError(t, err)
	require.Equal(t, "resp_1", g.pending)

	dying, kill := context.WithCancel(t.Context())
	g.model.onGet = kill
	_, err = g.awaitWith(dying, g.worker, 1, at{"10", 1})
	require.ErrorIs(t, err, context.Canceled)
	g.model.onGet = nil
	require.Empty(t, g.model.cancelled, "the run was not cancelled, its worker died")
	turn, err := g.awaitWith(t.Context(), g.newWorker(), 1, at{"10", 2})
	require.NoError(t, err)
	require.Len(t, turn.Calls, 1)

	again, err := g.await(1, at{"10", 3}) // killed before Temporal heard of the turn
	require.NoError(t, err)
	require.Equal(t, turn, again)
	again, err = g.plan(1, at{"11", 1})
	require.NoError(t, err)
	require.Equal(t, turn, again)
	require.Len(t, g.model.charged(), 1)
	require.EqualValues(t, 1100, g.usage().TotalTokens)
}

// The moment between the provider's yes and our commit is the one that is left. What was set aside for a request
// that is known nowhere stays charged.
func TestWorkerKilledBetweenYesAndCommitIsChargedHonestly(t *testing.T) {
	t.Parallel()
	g := newRig(t, newProvider(t, text("two mails")), options{features: "background"})
	dying := g.newWorker()
	g.model.onPost = func(n int) {
		if n == 1 {
			dying.db.Close()
		}
	}
	_, err := g.planWith(t.Context(), dying, 1, at{"5", 1})
	require.Error(t, err)
	_, err = g.plan(1, at{"5", 2})
	require.NoError(t, err)
	require.Equal(t, "resp_2", g.pending)
	_, err = g.await(1, at{"6", 1})
	require.NoError(t, err)
	made := g.modelCalls()
	require.Len(t, made, 2)
	require.Equal(t, "sent", made[0].Status)
	require.Equal(t, "answered", made[1].Status)
	u := g.usage()
	require.Equal(t, made[0].ChargedTokens+1100, u.TotalTokens)
	require.True(t, u.Estimated && !u.Known)
}

// expect is for goroutines other than the test's.
func expect(t *testing.T, ok bool) {
	t.Helper()
	if !ok {
		t.Error("not as it should be")
	}
}

// PostgreSQL that is away for a moment costs no answer.
func TestYesIsKeptWhilePostgresIsAway(t *testing.T) {
	t.Parallel()
	g := newRig(t, newProvider(t, text("two mails")), options{features: "background"})
	other := g.newWorker().db.Pool
	g.model.onPost = func(int) {
		ended, err := other.Exec(context.WithoutCancel(t.Context()), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
			WHERE datname = current_database() AND pid <> pg_backend_pid() AND usename = current_user`)
		expect(t, err == nil && ended.RowsAffected() > 0)
	}
	_, err := g.plan(1, at{"5", 1})
	require.NoError(t, err)
	require.Equal(t, "resp_1", g.pending)
	require.Equal(t, "accepted", g.modelCalls()[0].Status)
	require.Len(t, g.model.charged(), 1)
}

func TestDeadResponseIsAskedForAnew(t *testing.T) {
	t.Parallel()
	failing := answer{fields: map[string]any{"status": "failed", "error": map[string]any{"code": "server_error", "message": "x"}}}
	for name, tc := range map[string]struct {
		turns []answer
		gone  string
		paid  bool // the dead one may have been
	}{
		"no longer kept": {[]answer{text("lost"), text("two mails")}, "resp_1", true},
		"failed":         {[]answer{failing, text("two mails")}, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newRig(t, newProvider(t, tc.turns...), options{features: "background"})
			g.model.gone[tc.gone] = true
			_, err := g.plan(1, at{"5", 1})
			require.NoError(t, err)
			_, err = g.await(1, at{"6", 1})
			e := new(temporal.ApplicationError)
			require.ErrorAs(t, err, &e)
			require.False(t, e.NonRetryable())
			out, err := g.await(1, at{"6", 2})
			require.NoError(t, err)
			require.Equal(t, automation.Success, out.Final.State)
			require.Equal(t, "two mails", g.output().Text)
			made := g.modelCalls()
			require.Len(t, made, 2)
			require.Equal(t, "failed", made[0].Status)
			require.Equal(t, tc.paid, made[0].ChargedTokens > 0)
			require.Equal(t, "6", made[1].ActivityID, "an attempt of its own")
		})
	}
}

func TestCancelledRunCancelsItsResponse(t *testing.T) {
	t.Parallel()
	g := newRig(t, newProvider(t, answer{fields: map[string]any{"status": "in_progress", "background": true}}), options{features: "background"})
	_, err := g.plan(1, at{"5", 1})
	require.NoError(t, err)
	ctx, cancel := context.WithCancelCause(t.Context())
	g.model.onGet = func() { cancel(temporal.NewCanceledError()) }
	_, err = g.awaitWith(ctx, g.worker, 1, at{"6", 1})
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, []string{"resp_1"}, g.model.cancelled)
	require.NoError(t, g.worker.close(t.Context(), automation.FinishInput{RunID: g.run.ID, Seq: 90, State: automation.Cancelled, Code: "cancelled"}, g.attempt(1, at{"7", 1}).stamp))
	u := g.usage()
	require.Positive(t, u.TotalTokens, "it may be charged")
	require.True(t, u.Estimated)
}

// What a run left with the provider is charged as it was used, if that can be found out when the run ends.
func TestAnswerThatTurnsUpAtTheEndIsSettled(t *testing.T) {
	t.Parallel()
	g := newRig(t, newProvider(t, text("too late")), options{features: "background"})
	_, err := g.plan(1, at{"5", 1})
	require.NoError(t, err)
	require.NoError(t, g.worker.close(t.Context(), automation.FinishInput{RunID: g.run.ID, Seq: 90, State: automation.Cancelled, Code: "cancelled"}, g.attempt(1, at{"7", 1}).stamp))
	u := g.usage()
	require.EqualValues(t, 1100, u.TotalTokens)
	require.True(t, u.Known && u.CostKnown && !u.Estimated)
	require.Empty(t, g.model.cancelled)
}

func TestOutageWhileAnAnswerIsAwaitedKeepsTheRequest(t *testing.T) {
	t.Parallel()
	p := newProvider(t, text("two mails"))
	g := newRig(t, p, options{features: "background"})
	_, err := g.plan(1, at{"5", 1})
	require.NoError(t, err)
	s := sent{}
	away := &llm.Error{Code: llm.CodeNetwork, Retryable: true, Message: "away"}
	_, err = g.worker.lost(t.Context(), g.attempt(1, at{"6", maxModel}), s, "resp_1", away)
	require.Equal(t, automation.WaitingForModel, parkFor(err, maxModel).State)
	require.Nil(t, parkFor(err, maxModel-1), "tried for a while first")
	require.Equal(t, "accepted", g.modelCalls()[0].Status)
	_, err = g.plan(1, at{"8", 1})
	require.NoError(t, err)
	require.Equal(t, "resp_1", g.pending)
}
