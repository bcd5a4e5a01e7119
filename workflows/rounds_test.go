package workflows_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/automation"
)

// answers makes each attempt at a call end as the script says, and then well.
func (w *world) answers(script ...automation.CallResult) {
	w.call = func(automation.CallInput) (automation.CallResult, error) {
		if n := len(w.sent); n <= len(script) {
			return script[n-1], nil
		}
		return automation.CallResult{State: automation.CallDone}, nil
	}
}

func TestServerAsksAndTheCallGoesOn(t *testing.T) {
	t.Parallel()
	for _, verdict := range []automation.Verdict{automation.Answer, automation.Decline} {
		t.Run(string(verdict), func(t *testing.T) {
			t.Parallel()
			limits := plenty
			limits.WallSeconds = 60 // a person's time does not count
			w := newWorld(t, limits, []automation.PlannedCall{effect("a", "")})
			w.answers(
				automation.CallResult{State: automation.CallWaiting, Decision: "q1"},
				automation.CallResult{State: automation.CallClaimed, Decision: "q2"}, // of a task
			)
			wrong := w.decide("q1", "a", automation.Approve, 30*time.Minute)
			w.decide("q1", "a", verdict, time.Hour)
			w.decide("q2", "a", verdict, 2*time.Hour)
			require.Equal(t, automation.Success, w.run(t))
			require.ErrorContains(t, *wrong, "does not answer")
			require.Len(t, w.sent, 3)
			require.Equal(t, automation.CallInput{
				RunID: 1, Step: 1, ID: "a", Decision: "q1", Verdict: verdict, State: automation.Running, Seq: w.sent[1].Seq,
			}, w.sent[1])
			require.Equal(t, "q2", w.sent[2].Decision)
			require.Greater(t, w.sent[2].Seq, w.sent[1].Seq)
			require.Empty(t, w.settled)
		})
	}
}

func TestNobodyAnswersTheServer(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plenty, []automation.PlannedCall{read("a")})
	w.answers(automation.CallResult{State: automation.CallWaiting, Decision: "q1"})
	require.Equal(t, automation.Success, w.run(t))
	require.Len(t, w.sent, 1)
	require.Equal(t, automation.Expired, w.settled[0].Verdict)
	require.Equal(t, "q1", w.settled[0].Decision)
}

func TestPeopleSeeThatAServerWaits(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plenty, []automation.PlannedCall{read("a"), effect("b", "dec")})
	w.call = func(in automation.CallInput) (automation.CallResult, error) {
		if in.ID == "a" && in.Verdict == "" {
			return automation.CallResult{State: automation.CallWaiting, Decision: "q1"}, nil
		}
		return automation.CallResult{State: automation.CallDone}, nil
	}
	w.decide("dec", "b", automation.Approve, time.Hour)
	w.decide("q1", "a", automation.Answer, 2*time.Hour)
	require.Equal(t, automation.Success, w.run(t))
	require.Equal(t, []string{"a", "b", "a"}, ids(w.sent))
	require.Equal(t, automation.WaitingForDecision, w.sent[1].State)
	require.Equal(t, automation.Running, w.sent[2].State)
}

func TestTaskIsPolledAndItsTimeCounts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plenty, []automation.PlannedCall{effect("a", "dec")})
	w.answers(
		automation.CallResult{State: automation.CallClaimed, Poll: 5 * time.Second},
		automation.CallResult{State: automation.CallClaimed, Poll: time.Minute},
	)
	w.decide("dec", "a", automation.Approve, 0)
	began := w.Now()
	require.Equal(t, automation.Success, w.run(t))
	require.Equal(t, 65*time.Second, w.Now().Sub(began).Round(time.Second))
	require.Equal(t, automation.Approve, w.sent[0].Verdict)
	require.Empty(t, w.sent[1].Verdict, "the approval is used up")
	require.Empty(t, w.sent[1].Decision)
}

func TestTaskThatOutlivesTheRunEndsWithIt(t *testing.T) {
	t.Parallel()
	limits := plenty
	limits.WallSeconds = 90
	w := newWorld(t, limits, []automation.PlannedCall{effect("a", "")})
	w.call = func(automation.CallInput) (automation.CallResult, error) {
		return automation.CallResult{State: automation.CallClaimed, Poll: time.Minute}, nil
	}
	began := w.Now()
	require.Equal(t, automation.BudgetExceeded, w.run(t))
	require.Equal(t, 90*time.Second, w.Now().Sub(began).Round(time.Second))
	require.Len(t, w.sent, 2)
	require.Len(t, w.finished, 1, "Finish cancels the task")
}

func TestCancelEndsThePolling(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plenty, []automation.PlannedCall{effect("a", "")})
	w.call = func(automation.CallInput) (automation.CallResult, error) {
		return automation.CallResult{State: automation.CallClaimed, Poll: 10 * time.Minute}, nil
	}
	w.RegisterDelayedCallback(w.CancelWorkflow, 3*time.Minute)
	began := w.Now()
	require.Equal(t, automation.Cancelled, w.run(t))
	require.Equal(t, 3*time.Minute, w.Now().Sub(began).Round(time.Second))
	require.Len(t, w.finished, 1)
}
