package workflows_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"steward/internal/automation"
)

const (
	common = "default-test-taskqueue" // of the test environment
	first  = "steward-worker-one"
	second = "steward-worker-two"
)

// at names the server whose session the call needs.
func at(session int64, c automation.PlannedCall) automation.PlannedCall {
	c.Session = session
	return c
}

// inSession answers as workers do: what comes over the common queue is taken by the worker of queue. Those that are
// gone take nothing.
func (w *world) inSession(queue func() string, gone func(queue string) bool) {
	w.call = func(in automation.CallInput) (automation.CallResult, error) {
		on := w.queues[len(w.queues)-1]
		if gone(on) {
			return automation.CallResult{}, temporal.NewTimeoutError(enumspb.TIMEOUT_TYPE_SCHEDULE_TO_START, nil)
		}
		out := automation.CallResult{State: automation.CallDone}
		switch {
		case in.Session == 0:
		case on == common:
			out.Queue = queue()
		default:
			out.Queue = on
		}
		return out, nil
	}
}

func nobody(string) bool { return false }

func TestCallsGoToTheWorkerThatHasTheSession(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plenty,
		[]automation.PlannedCall{at(7, read("a")), at(7, read("b")), at(7, read("c"))},
		[]automation.PlannedCall{at(7, effect("d", "")), effect("e", ""), at(8, effect("f", ""))})
	w.inSession(func() string { return first }, nobody)
	require.Equal(t, automation.Success, w.run(t))
	require.Equal(t, []string{common, first, first, first, common, common}, w.queues, "one of the reads finds the worker, the others follow it")
	require.EqualValues(t, 7, w.sent[1].Session)
	for _, in := range w.sent {
		require.False(t, in.Moved)
	}
}

func TestSessionMovesWhenItsWorkerIsGone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plenty, []automation.PlannedCall{at(7, effect("a", ""))},
		[]automation.PlannedCall{at(7, read("b")), at(7, read("c"))}, []automation.PlannedCall{at(7, effect("d", ""))})
	taker := first
	dead := false
	w.inSession(func() string { return taker }, func(queue string) bool { return dead && queue == first })
	plan := w.plan
	w.plan = func(in automation.PlanInput) (automation.PlanResult, error) {
		if in.Step == 2 {
			dead, taker = true, second
		}
		return plan(in)
	}
	require.Equal(t, automation.Success, w.run(t))
	require.ElementsMatch(t, []string{common, first, first, common, second, second}, w.queues)
	require.Equal(t, second, w.queues[5])
	moved := 0
	for i, in := range w.sent {
		if in.Moved {
			moved++
			require.NotEqual(t, first, w.queues[i])
		}
	}
	require.Equal(t, 2, moved, "both reads had waited for the dead worker")
	require.Empty(t, w.settled)
}

func TestWhereSessionsLiveOutlivesContinueAsNew(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plenty, []automation.PlannedCall{at(7, read("a"))})
	w.inSession(func() string { return first }, nobody)
	w.SetContinueAsNewSuggested(true)
	w.ExecuteWorkflow(automation.WorkflowRun, automation.RunInput{RunID: 1})
	var next *workflow.ContinueAsNewError
	require.ErrorAs(t, w.GetWorkflowError(), &next)
	var in automation.RunInput
	require.NoError(t, converter.GetDefaultDataConverter().FromPayloads(next.Input, &in))
	require.Equal(t, map[int64]string{7: first}, in.Carry.Homes)

	w = newWorld(t, plenty, nil, []automation.PlannedCall{at(7, read("b"))})
	w.inSession(func() string { return second }, nobody)
	w.ExecuteWorkflow(automation.WorkflowRun, in)
	require.NoError(t, w.GetWorkflowError())
	require.Equal(t, []string{first}, w.queues)
}
