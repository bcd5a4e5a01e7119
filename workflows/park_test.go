package workflows_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/workflow"

	"steward/internal/automation"
)

var (
	noModel   = &automation.Park{State: automation.WaitingForModel, Waiting: automation.Waiting{Reason: "the model provider has a problem"}}
	noConsent = &automation.Park{State: automation.WaitingForAuth, Waiting: automation.Waiting{Reason: "Gmail is not connected", Provider: "google", Version: 3}}
)

// parksFirst makes the model ask for a park so many times before each turn is there.
func (w *world) parksFirst(times int, p automation.Park) {
	w.plan = func(in automation.PlanInput) (automation.PlanResult, error) {
		if times--; times >= 0 {
			return automation.PlanResult{Park: &p}, nil
		}
		return w.turn(in)
	}
}

func (w *world) wake(state automation.State, after time.Duration) {
	w.RegisterDelayedCallback(func() { w.SignalWorkflow(automation.SignalWake, automation.Wake{State: state}) }, after)
}

func gaps(at []time.Time) []time.Duration {
	var out []time.Duration
	for i := 1; i < len(at); i++ {
		out = append(out, at[i].Sub(at[i-1]).Round(time.Second))
	}
	return out
}

func TestModelThatIsAwayIsAskedAgainEverMoreSeldom(t *testing.T) {
	t.Parallel()
	limits := plenty
	limits.WallSeconds = 60 // sleeping does not count
	w := newWorld(t, limits)
	w.parksFirst(7, *noModel)
	require.Equal(t, automation.Success, w.run(t))
	s, m := time.Second, time.Minute
	require.Equal(t, []time.Duration{30 * s, m, 2 * m, 4 * m, 8 * m, 10 * m, 10 * m}, gaps(w.planned))
	require.Len(t, w.parks, 7)
	first, last := w.parks[0].Park.Waiting, w.parks[6].Park.Waiting
	require.Equal(t, noModel.Waiting.Reason, first.Reason)
	require.Equal(t, 30*s, first.RetryAt.Sub(first.Since))
	require.Equal(t, first.Since, last.Since, "it has been away since then")
	require.Greater(t, w.parks[1].Seq, w.parks[0].Seq)
}

func TestParkWaitsAsLongAsItIsTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plenty)
	p := *noModel
	p.Retry = 3 * time.Minute
	w.parksFirst(1, p)
	require.Equal(t, automation.Success, w.run(t))
	require.Equal(t, []time.Duration{3 * time.Minute}, gaps(w.planned))
}

func TestNothingIsWaitedForLongerThanAQuestion(t *testing.T) {
	t.Parallel()
	for state, code := range map[automation.State]string{
		automation.WaitingForModel: "model_unavailable", automation.WaitingForAuth: "auth_expired", automation.WaitingForBudget: "budget_expired",
	} {
		t.Run(string(state), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, plenty)
			w.parksFirst(1<<30, automation.Park{State: state, Retry: 20 * time.Hour, Waiting: automation.Waiting{Reason: "it is so"}})
			began := w.Now()
			require.Equal(t, automation.Failed, w.run(t))
			require.Equal(t, code, w.finished[0].Code)
			require.Contains(t, w.finished[0].Message, "it is so")
			require.Equal(t, 7*24*time.Hour, w.Now().Sub(began).Round(time.Second))
		})
	}
}

func TestConsentWakesTheCall(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plenty, []automation.PlannedCall{read("a")})
	consented := false
	w.call = func(automation.CallInput) (automation.CallResult, error) {
		if !consented {
			return automation.CallResult{State: automation.CallPlanned, Park: noConsent}, nil
		}
		return automation.CallResult{State: automation.CallDone}, nil
	}
	w.wake(automation.WaitingForModel, 5*time.Minute) // for something else
	w.RegisterDelayedCallback(func() { consented = true }, 20*time.Minute)
	w.wake(automation.WaitingForAuth, 20*time.Minute)
	began := w.Now()
	require.Equal(t, automation.Success, w.run(t))
	require.Equal(t, 20*time.Minute, w.Now().Sub(began).Round(time.Second))
	require.Equal(t, []string{"a", "a"}, ids(w.sent))
	require.Zero(t, w.sent[0].Seq, "a read has no say")
	require.Equal(t, automation.Running, w.sent[1].State, "people saw it sleep")
	require.Greater(t, w.sent[1].Seq, w.parks[0].Seq)
	require.EqualValues(t, 3, w.parks[0].Park.Waiting.Version)
	require.True(t, w.parks[0].Park.Waiting.RetryAt.IsZero(), "only a person can help")
}

func TestLostWakeIsMadeUpFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plenty, []automation.PlannedCall{effect("a", "")})
	w.call = func(automation.CallInput) (automation.CallResult, error) {
		if len(w.sent) == 1 {
			return automation.CallResult{State: automation.CallPlanned, Park: noConsent}, nil
		}
		return automation.CallResult{State: automation.CallDone}, nil
	}
	began := w.Now()
	require.Equal(t, automation.Success, w.run(t))
	require.Equal(t, time.Hour, w.Now().Sub(began).Round(time.Second))
}

func TestConsentThatCameBetweenIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plenty, []automation.PlannedCall{effect("a", "")})
	w.call = func(automation.CallInput) (automation.CallResult, error) {
		if len(w.sent) == 1 {
			return automation.CallResult{State: automation.CallPlanned, Park: noConsent}, nil
		}
		return automation.CallResult{State: automation.CallDone}, nil
	}
	w.park = func(automation.ParkInput) (automation.ParkResult, error) {
		return automation.ParkResult{Ready: true}, nil
	}
	began := w.Now()
	require.Equal(t, automation.Success, w.run(t))
	require.Zero(t, w.Now().Sub(began).Round(time.Second))
}

func TestReadsThatParkTogetherWakeTogether(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plenty, []automation.PlannedCall{read("a"), read("b"), read("c")})
	consented := false
	w.call = func(automation.CallInput) (automation.CallResult, error) {
		if !consented {
			return automation.CallResult{State: automation.CallPlanned, Park: noConsent}, nil
		}
		return automation.CallResult{State: automation.CallDone}, nil
	}
	w.RegisterDelayedCallback(func() { consented = true }, 5*time.Minute)
	w.wake(automation.WaitingForAuth, 5*time.Minute)
	began := w.Now()
	require.Equal(t, automation.Success, w.run(t))
	require.Len(t, w.parks, 1, "one at a time, and one was enough")
	require.Len(t, w.sent, 6)
	require.Equal(t, 5*time.Minute, w.Now().Sub(began).Round(time.Second))
}

// Another call of the turn must not cover up that the run sleeps: nobody would wake it.
func TestEffectBesideAParkedReadLeavesTheParkVisible(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plenty, []automation.PlannedCall{read("a"), effect("b", "dec")})
	w.call = func(in automation.CallInput) (automation.CallResult, error) {
		if in.ID == "a" && len(w.sent) == 1 {
			return automation.CallResult{State: automation.CallPlanned, Park: noConsent}, nil
		}
		return automation.CallResult{State: automation.CallDone}, nil
	}
	w.decide("dec", "b", automation.Approve, 10*time.Minute)
	w.wake(automation.WaitingForAuth, 20*time.Minute)
	require.Equal(t, automation.Success, w.run(t))
	require.Equal(t, []string{"a", "b", "a"}, ids(w.sent))
	require.Equal(t, automation.WaitingForAuth, w.sent[1].State)
	require.Equal(t, automation.Running, w.sent[2].State)
}

func TestCancelEndsASleep(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plenty, []automation.PlannedCall{read("a"), read("b")})
	w.call = func(automation.CallInput) (automation.CallResult, error) {
		return automation.CallResult{State: automation.CallPlanned, Park: noConsent}, nil
	}
	w.RegisterDelayedCallback(w.CancelWorkflow, time.Minute)
	began := w.Now()
	require.Equal(t, automation.Cancelled, w.run(t))
	require.Equal(t, time.Minute, w.Now().Sub(began).Round(time.Second))
	require.Len(t, w.sent, 2)
}

func TestSleepOfWeeksContinuesAsNew(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plenty)
	w.parksFirst(1, *noModel)
	w.SetContinueAsNewSuggested(true)
	began := w.Now()
	w.ExecuteWorkflow(automation.WorkflowRun, automation.RunInput{RunID: 1})
	var next *workflow.ContinueAsNewError
	require.ErrorAs(t, w.GetWorkflowError(), &next)
	var in automation.RunInput
	require.NoError(t, converter.GetDefaultDataConverter().FromPayloads(next.Input, &in))
	require.Zero(t, in.Carry.Step)
	require.Equal(t, 1, in.Carry.Parked.Times)
	require.WithinDuration(t, began, in.Carry.Parked.Since, time.Second)
	require.Zero(t, in.Carry.Active.Round(time.Second), "sleep is no work")
}

func TestSourceThatNeedsAPersonIsWaitedFor(t *testing.T) {
	t.Parallel()
	for _, state := range []automation.State{automation.WaitingForAuth, automation.WaitingForApproval} {
		t.Run(string(state), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, plenty)
			var ready atomic.Bool // activities run beside the callbacks
			var asked atomic.Int32
			w.resolve = func(automation.ResolveInput) (automation.ResolveResult, error) {
				if asked.Add(1); !ready.Load() {
					return automation.ResolveResult{Expiry: time.Hour * 48, Park: &automation.Park{State: state, Waiting: automation.Waiting{Reason: "somebody must look"}}}, nil
				}
				return automation.ResolveResult{Limits: plenty, Expiry: 48 * time.Hour}, nil
			}
			w.RegisterDelayedCallback(func() { ready.Store(true) }, 20*time.Minute)
			w.wake(state, 20*time.Minute)
			began := w.Now()
			require.Equal(t, automation.Success, w.run(t))
			require.Equal(t, 20*time.Minute, w.Now().Sub(began).Round(time.Second))
			require.EqualValues(t, 2, asked.Load())
			require.Len(t, w.parks, 1)
			require.Equal(t, state, w.parks[0].Park.State)
			require.True(t, w.parks[0].Park.Waiting.RetryAt.IsZero(), "only a person can help")
		})
	}
}

func TestSourceIsNotWaitedForForEver(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plenty)
	w.resolve = func(automation.ResolveInput) (automation.ResolveResult, error) {
		return automation.ResolveResult{Expiry: 30 * time.Hour, Park: &automation.Park{State: automation.WaitingForApproval, Waiting: automation.Waiting{Reason: "it changed"}}}, nil
	}
	began := w.Now()
	require.Equal(t, automation.Failed, w.run(t))
	require.Equal(t, "review_expired", w.finished[0].Code)
	require.Equal(t, 30*time.Hour, w.Now().Sub(began).Round(time.Second))
}
