package workflows_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"steward/internal/automation"
)

func TestCancelWhileTheModelIsAsked(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plenty)
	w.plan = func(automation.PlanInput) (automation.PlanResult, error) {
		w.CancelWorkflow()
		return automation.PlanResult{}, temporal.NewCanceledError()
	}
	require.Equal(t, automation.Cancelled, w.run(t))
	require.Equal(t, "cancelled", w.finished[0].Code)
}

func TestRetryAfterIsTheNextDelay(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plenty)
	w.plan = func(in automation.PlanInput) (automation.PlanResult, error) {
		if len(w.planned) == 1 {
			return automation.PlanResult{}, temporal.NewApplicationErrorWithOptions("slow down", "LLM_rate_limit_exceeded",
				temporal.ApplicationErrorOptions{NextRetryDelay: 7 * time.Second})
		}
		return w.turn(in)
	}
	require.Equal(t, automation.Success, w.run(t))
	require.Equal(t, []time.Duration{7 * time.Second}, gaps(w.planned))
}

func hosted(id, decision string) automation.PlannedCall {
	c := effect(id, decision)
	c.Hosted = true
	return c
}

func TestProvidersCallsAreDecidedAndNeverSent(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plenty, []automation.PlannedCall{hosted("a", "d1"), hosted("b", "d2")})
	w.decide("d1", "a", automation.Approve, time.Minute)
	w.decide("d2", "b", automation.Deny, 2*time.Minute)
	require.Equal(t, automation.Success, w.run(t))
	require.Empty(t, w.sent)
	require.Equal(t, []string{"a", "b"}, ids(w.settled))
	require.Equal(t, automation.Approve, w.settled[0].Verdict)
	require.Equal(t, automation.Deny, w.settled[1].Verdict)
}

func TestProvidersCallOfUnknownOutcomeIsAskedAbout(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plenty, []automation.PlannedCall{hosted("a", "")})
	w.settle = func(in automation.CallInput) (automation.CallResult, error) {
		if in.Verdict == "" {
			return automation.CallResult{State: automation.CallUnknown, Decision: "what"}, nil
		}
		return automation.CallResult{State: automation.CallSkipped}, nil
	}
	w.decide("what", "a", automation.Skip, time.Hour)
	require.Equal(t, automation.Success, w.run(t))
	require.Empty(t, w.sent)
	require.Len(t, w.settled, 2)
	require.Equal(t, automation.Skip, w.settled[1].Verdict)
}
