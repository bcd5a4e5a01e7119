package tool_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/automation"
	"steward/internal/fault"
	"steward/internal/store"
	"steward/internal/tool"
)

func TestCatalogue(t *testing.T) {
	t.Parallel()
	f := newFixture(t, tool.ApproveNever)
	classes := map[string]automation.Class{}
	for _, c := range f.cat.Tools {
		classes[c.Name] = c.Class
	}
	require.Equal(t, map[string]automation.Class{
		"send": automation.Effect, "post": automation.Effect, "put": automation.Idempotent, "get": automation.Read, "leak": automation.Read,
	}, classes, "the probe is not offered to the model")
}

func TestReadIsDoneAndRecorded(t *testing.T) {
	t.Parallel()
	f := newFixture(t, tool.ApproveNever)
	c := f.plan("get", `{"text":"hello"}`)
	out, err := f.execute(c)
	require.NoError(t, err)
	require.Equal(t, automation.CallDone, out.State)
	require.JSONEq(t, `{"sent":"hello"}`, f.result(c))
	again, err := f.execute(c) // a retry after the answer was recorded
	require.NoError(t, err)
	require.Equal(t, out, again)
	require.Equal(t, 1, f.effects(c))
	require.Equal(t, []string{"tool.planned", "run.state running", "tool.claimed", "tool.settled done"}, f.kinds())
}

func TestEffectWhoseAnswerIsLostIsResolvedByItsProbe(t *testing.T) {
	t.Parallel()
	for _, death := range []string{"die-after", "hang-after"} {
		t.Run(death, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, tool.ApproveNever)
			c := f.plan("send", fmt.Sprintf(`{"text":%q}`, death))
			out, err := f.execute(c)
			require.NoError(t, err)
			require.Equal(t, automation.CallDone, out.State)
			require.Equal(t, 1, f.effects(c))
			row := f.row(c)
			require.True(t, row.WasUnknown)
			require.Equal(t, "probe", row.ResolvedBy)
			require.Contains(t, f.kinds(), "tool.settled unknown", "every unknown is flagged before it is resolved")
		})
	}
}

func TestEffectThatProvablyDidNotHappenIsSentAgain(t *testing.T) {
	t.Parallel()
	f := newFixture(t, tool.ApproveNever)
	c := f.plan("send", `{"text":"die-before"}`)
	_, err := f.execute(c)
	require.True(t, fault.Is(err, fault.Upstream), "%v", err)
	require.Equal(t, string(automation.CallPlanned), f.row(c).State)
	require.Zero(t, f.effects(c))
	out, err := f.execute(c) // Temporal's next attempt
	require.NoError(t, err)
	require.Equal(t, automation.CallDone, out.State)
	require.Equal(t, 1, f.effects(c))
}

func TestEffectWithoutProbeWaitsForAPerson(t *testing.T) {
	t.Parallel()
	f := newFixture(t, tool.ApproveNever)
	c := f.plan("post", `{"text":"die-after"}`)
	out, err := f.execute(c)
	require.NoError(t, err)
	require.Equal(t, automation.CallUnknown, out.State)
	require.NotEmpty(t, out.Decision)
	run, err := f.db.GetRunForWorker(t.Context(), f.run.ID)
	require.NoError(t, err)
	require.Equal(t, string(automation.WaitingForDecision), run.State)

	again, err := f.execute(c)
	require.NoError(t, err)
	require.Equal(t, out.Decision, again.Decision, "a retry asks the same question")
	require.Equal(t, 1, f.effects(c))

	for _, tc := range []struct {
		verdict automation.Verdict
		state   automation.CallState
	}{{automation.Check, automation.CallUnknown}, {automation.Skip, automation.CallSkipped}} {
		in := f.input(c)
		in.Verdict, in.Decision = tc.verdict, f.decide(c, tc.verdict)
		got, err := f.x.Settle(t.Context(), in, stamp)
		require.NoError(t, err)
		require.Equal(t, tc.state, got.State, tc.verdict)
	}
	require.Equal(t, 1, f.effects(c))
}

func TestPersonMayRetryAnUnknown(t *testing.T) {
	t.Parallel()
	f := newFixture(t, tool.ApproveNever)
	c := f.plan("post", `{"text":"die-after"}`)
	_, err := f.execute(c)
	require.NoError(t, err)
	in := f.input(c)
	in.Verdict, in.Decision = automation.Retry, f.decide(c, automation.Retry)
	out, err := f.x.Execute(t.Context(), in, stamp, nil)
	require.NoError(t, err)
	require.Equal(t, automation.CallDone, out.State)
	require.Equal(t, 2, f.effects(c), "the person chose to send again knowing that it may have happened")
}

// claimAndDie leaves the ledger as a worker does that dies right after its claim.
func (f *fixture) claimAndDie(c automation.PlannedCall) *store.ToolCall {
	f.t.Helper()
	row := f.row(c)
	row, err := f.db.ClaimCall(f.t.Context(), store.ClaimCallParams{
		ID: row.ID, RunID: row.RunID, SeenFence: row.Fence, FromStates: []string{row.State}, Lease: time.Minute,
	})
	require.NoError(f.t, err)
	return row
}

func TestClaimOfADeadWorker(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		tool  string
		state automation.CallState
		sent  int
		asked bool
	}{
		{"get", automation.CallDone, 1, false},
		{"put", automation.CallDone, 1, false},
		{"send", automation.CallDone, 1, false},
		{"post", automation.CallUnknown, 0, true},
	} {
		t.Run(tc.tool, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, tool.ApproveNever)
			c := f.plan(tc.tool, `{"text":"hello"}`)
			f.claimAndDie(c)
			out, err := f.execute(c)
			require.NoError(t, err)
			require.Equal(t, tc.state, out.State)
			require.Equal(t, tc.sent, f.effects(c))
			require.Equal(t, tc.asked, out.Decision != "")
		})
	}
}

func TestLateAnswerOfAnEarlierAttemptChangesNothing(t *testing.T) {
	t.Parallel()
	f := newFixture(t, tool.ApproveNever)
	c := f.plan("send", `{"text":"hello"}`)
	old := f.claimAndDie(c)
	_, err := f.execute(c) // takes over
	require.NoError(t, err)
	n, err := f.db.SettleCall(t.Context(), store.SettleCallParams{
		ID: old.ID, RunID: old.RunID, Fence: old.Fence, State: "failed", FromStates: []string{"claimed", "done"},
	})
	require.NoError(t, err)
	require.Zero(t, n)
	holds, err := f.db.HoldsFence(t.Context(), store.HoldsFenceParams{ID: old.ID, RunID: old.RunID, Fence: old.Fence})
	require.NoError(t, err)
	require.False(t, holds, "a stale attempt must not send")
}

func TestManyAttemptsSendOnce(t *testing.T) {
	t.Parallel()
	f := newFixture(t, tool.ApproveNever)
	c := f.plan("post", `{"text":"hello"}`)
	var wg sync.WaitGroup
	for range 16 {
		x := f.executor()
		wg.Go(func() { _, _ = x.Execute(t.Context(), f.input(c), stamp, nil) })
	}
	wg.Wait()
	require.Equal(t, 1, f.effects(c))
}

func TestToolsOwnErrorIsAFailureAndAnAnswer(t *testing.T) {
	t.Parallel()
	f := newFixture(t, tool.ApproveNever)
	c := f.plan("send", `{"text":"refuse"}`)
	out, err := f.execute(c)
	require.NoError(t, err)
	require.Equal(t, automation.CallFailed, out.State)
	require.True(t, out.IsError)
	require.Equal(t, "mailbox full", f.result(c))
}

func TestLargeResultIsKeptWhole(t *testing.T) {
	t.Parallel()
	f := newFixture(t, tool.ApproveNever)
	f.x = f.executorOf(time.Minute) // under the race detector it takes a while on a busy machine
	c := f.plan("get", `{"text":"big"}`)
	out, err := f.execute(c)
	require.NoError(t, err)
	require.Greater(t, out.Bytes, int64(2<<20))
	require.Greater(t, len(f.result(c)), 2<<20)
	rows, err := f.db.ListCallsBefore(t.Context(), store.ListCallsBeforeParams{RunID: f.run.ID, BeforeStep: 99})
	require.NoError(t, err)
	shown, err := f.x.ShownToModel(rows[0])
	require.NoError(t, err)
	require.Less(t, len(shown), tool.MaxShown+512)
	require.Contains(t, shown, "[cut: ")
}

func TestSecretsOfTheServerAreRemovedFromItsResults(t *testing.T) {
	t.Parallel()
	f := newFixture(t, tool.ApproveNever)
	c := f.plan("leak", `{}`)
	_, err := f.execute(c)
	require.NoError(t, err)
	require.NotContains(t, f.result(c), "canary-7d1f")
	require.Contains(t, f.result(c), "key=")
}

func TestCancelledCallSaysWhatIsKnown(t *testing.T) {
	t.Parallel()
	f := newFixture(t, tool.ApproveNever)
	c := f.plan("send", `{"text":"hang-after"}`)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan automation.CallResult, 1)
	go func() {
		out, _ := f.x.Execute(ctx, f.input(c), stamp, nil)
		done <- out
	}()
	require.Eventually(t, func() bool { return f.effects(c) == 1 }, 10*time.Second, 10*time.Millisecond)
	cancel()
	out := <-done
	require.Equal(t, automation.CallDone, out.State, "the mail is out: the receiver says so")
}

func TestCloseRunSettlesWhatIsOpen(t *testing.T) {
	t.Parallel()
	f := newFixture(t, tool.ApproveNever)
	never := f.plan("send", `{"text":"a"}`)
	dead := f.plan("post", `{"text":"b"}`)
	f.claimAndDie(dead)
	asked := f.plan("send", `{"text":"c"}`)
	f.claimAndDie(asked)
	require.NoError(t, f.x.CloseRun(t.Context(), f.run.ID, "the run was cancelled", stamp))
	require.Equal(t, string(automation.CallCancelled), f.row(never).State)
	require.Equal(t, string(automation.CallUnknown), f.row(dead).State)
	require.Equal(t, string(automation.CallFailed), f.row(asked).State, "the probe says that it did not happen")
	require.Zero(t, f.effects(never)+f.effects(dead)+f.effects(asked), "closing a run sends nothing")
}

func TestServerThatIsGone(t *testing.T) {
	t.Parallel()
	f := newFixture(t, tool.ApproveNever)
	c := f.plan("send", `{"text":"a"}`)
	_, err := f.db.Pool.Exec(t.Context(), "DELETE FROM mcp_servers")
	require.NoError(t, err)
	out, err := f.execute(c)
	require.NoError(t, err)
	require.Equal(t, automation.CallFailed, out.State)
	require.Contains(t, f.result(c), "no longer there")
}
