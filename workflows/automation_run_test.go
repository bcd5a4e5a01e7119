package workflows_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"steward/activities"
	"steward/internal/automation"
	"steward/workflows"
)

var act *activities.Run

// world is a workflow test environment with a script of model turns.
type world struct {
	*testsuite.TestWorkflowEnvironment
	mu    sync.Mutex
	turns [][]automation.PlannedCall
	// sent and settled list the calls in the order in which their activities began.
	sent, settled []automation.CallInput
	queues        []string // on which each of sent was made
	finished      []automation.FinishInput
	parks         []automation.ParkInput
	planned       []time.Time // when the model was asked, attempts included
	resolve       func(automation.ResolveInput) (automation.ResolveResult, error)
	plan          func(automation.PlanInput) (automation.PlanResult, error)
	call, settle  func(automation.CallInput) (automation.CallResult, error)
	park          func(automation.ParkInput) (automation.ParkResult, error)
}

func newWorld(t *testing.T, limits automation.Limits, turns ...[]automation.PlannedCall) *world {
	t.Helper()
	return newSlowWorld(t, 0, limits, turns...)
}

// newSlowWorld is one in which each tool call takes a while, in workflow time.
func newSlowWorld(t *testing.T, each time.Duration, limits automation.Limits, turns ...[]automation.PlannedCall) *world {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	w := &world{TestWorkflowEnvironment: suite.NewTestWorkflowEnvironment(), turns: turns}
	w.RegisterWorkflowWithOptions(workflows.AutomationRun, workflow.RegisterOptions{Name: automation.WorkflowRun})
	w.RegisterActivity(&activities.Run{})
	w.resolve = func(automation.ResolveInput) (automation.ResolveResult, error) {
		return automation.ResolveResult{Tools: 2, Limits: limits, Expiry: 7 * 24 * time.Hour}, nil
	}
	w.OnActivity(act.ResolveTools, mock.Anything, mock.Anything).Return(func(_ context.Context, in automation.ResolveInput) (automation.ResolveResult, error) {
		return w.resolve(in)
	}).Maybe()
	w.plan = w.turn
	w.OnActivity(act.PlanStep, mock.Anything, mock.Anything).Return(func(_ context.Context, in automation.PlanInput) (automation.PlanResult, error) {
		w.planned = append(w.planned, w.Now())
		return w.plan(in)
	}).Maybe()
	w.park = func(automation.ParkInput) (automation.ParkResult, error) { return automation.ParkResult{}, nil }
	w.OnActivity(act.ParkRun, mock.Anything, mock.Anything).Return(func(_ context.Context, in automation.ParkInput) (automation.ParkResult, error) {
		w.parks = append(w.parks, in)
		return w.park(in)
	}).Maybe()
	w.call = func(automation.CallInput) (automation.CallResult, error) {
		return automation.CallResult{State: automation.CallDone}, nil
	}
	w.OnActivity(act.CallTool, mock.Anything, mock.Anything).After(each).Return(func(ctx context.Context, in automation.CallInput) (automation.CallResult, error) {
		w.mu.Lock() // reads are made side by side
		defer w.mu.Unlock()
		w.sent, w.queues = append(w.sent, in), append(w.queues, activity.GetInfo(ctx).TaskQueue)
		return w.call(in)
	}).Maybe()
	w.OnActivity(act.SettleCall, mock.Anything, mock.Anything).Return(func(_ context.Context, in automation.CallInput) (automation.CallResult, error) {
		w.settled = append(w.settled, in)
		return w.settle(in)
	}).Maybe()
	w.settle = func(automation.CallInput) (automation.CallResult, error) {
		return automation.CallResult{State: automation.CallDenied}, nil
	}
	w.OnActivity(act.Finish, mock.Anything, mock.Anything).Return(func(_ context.Context, in automation.FinishInput) error {
		w.finished = append(w.finished, in)
		return nil
	}).Maybe()
	return w
}

// turn is the model's next turn in the script.
func (w *world) turn(in automation.PlanInput) (automation.PlanResult, error) {
	if in.Step > len(w.turns) {
		return automation.PlanResult{Tokens: 10, Final: automation.Final{State: automation.Success}}, nil
	}
	return automation.PlanResult{Tokens: 100, Calls: w.turns[in.Step-1]}, nil
}

func (w *world) run(t *testing.T) automation.State {
	t.Helper()
	w.ExecuteWorkflow(automation.WorkflowRun, automation.RunInput{RunID: 1})
	require.NoError(t, w.GetWorkflowError())
	var out automation.RunResult
	require.NoError(t, w.GetWorkflowResult(&out))
	return out.State
}

// decide sends the Update and reports how the workflow took it.
func (w *world) decide(id, call string, v automation.Verdict, after time.Duration) *error {
	var refused error
	w.RegisterDelayedCallback(func() {
		w.UpdateWorkflow(automation.UpdateDecide, id+string(v), &testsuite.TestUpdateCallback{
			OnAccept: func() {}, OnReject: func(err error) { refused = err }, OnComplete: func(any, error) {},
		}, automation.Decision{ID: id, Call: call, Verdict: v})
	}, after)
	return &refused
}

var plenty = automation.Limits{Steps: 40, Tokens: 100_000, WallSeconds: 1800}

func read(id string) automation.PlannedCall {
	return automation.PlannedCall{ID: id, Tool: "mailbox/search", Class: automation.Read}
}

func effect(id, decision string) automation.PlannedCall {
	return automation.PlannedCall{ID: id, Tool: "mailbox/send", Class: automation.Effect, Decision: decision}
}

func ids(in []automation.CallInput) []string {
	out := make([]string, len(in))
	for i, c := range in {
		out[i] = c.ID
	}
	return out
}

func TestRunPlansActsAndEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plenty, []automation.PlannedCall{read("a"), read("b")}, []automation.PlannedCall{effect("c", "")})
	require.Equal(t, automation.Success, w.run(t))
	require.ElementsMatch(t, []string{"a", "b"}, ids(w.sent[:2]))
	require.Equal(t, "c", w.sent[2].ID)
	require.Empty(t, w.finished, "a final turn closes the run in its own transaction")
}

func TestApprovalWaitsForDaysAndCountsNoWallTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plenty, []automation.PlannedCall{effect("a", "dec")})
	w.decide("dec", "a", automation.Approve, 72*time.Hour)
	require.Equal(t, automation.Success, w.run(t))
	require.Len(t, w.sent, 1)
	require.Equal(t, automation.Approve, w.sent[0].Verdict)
	require.Equal(t, "dec", w.sent[0].Decision)
	require.Equal(t, automation.Running, w.sent[0].State)
}

func TestSeveralApprovalsWaitAtOnceAndEffectsKeepTheirOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plenty, []automation.PlannedCall{effect("a", "d1"), effect("b", "d2"), read("r")})
	w.decide("d2", "b", automation.Approve, time.Hour)
	w.decide("d1", "a", automation.Deny, 2*time.Hour)
	require.Equal(t, automation.Success, w.run(t))
	require.Equal(t, []string{"r", "b"}, ids(w.sent), "the read does not wait; b follows a's denial")
	require.Equal(t, []string{"a"}, ids(w.settled))
	require.Equal(t, automation.Deny, w.settled[0].Verdict)
}

func TestUnansweredApprovalExpires(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plenty, []automation.PlannedCall{effect("a", "dec")})
	require.Equal(t, automation.Success, w.run(t))
	require.Empty(t, w.sent)
	require.Equal(t, automation.Expired, w.settled[0].Verdict)
}

func TestValidatorRefusesWithoutTrace(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plenty, []automation.PlannedCall{effect("a", "dec")})
	otherCall := w.decide("dec", "b", automation.Approve, time.Minute)
	otherKind := w.decide("dec", "a", automation.Skip, 2*time.Minute)
	w.decide("dec", "a", automation.Approve, time.Hour)
	require.Equal(t, automation.Success, w.run(t))
	require.ErrorContains(t, *otherCall, "does not answer")
	require.ErrorContains(t, *otherKind, "does not answer")
}

func TestDecisionThatComesBeforeItsQuestionIsKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plenty, []automation.PlannedCall{effect("a", "dec")})
	w.decide("dec", "a", automation.Approve, 0)
	require.Equal(t, automation.Success, w.run(t))
	require.Equal(t, []string{"a"}, ids(w.sent))
}

func TestUnknownOutcomeWaitsForAPerson(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		verdict       automation.Verdict
		sent, settled int
	}{{automation.Retry, 2, 0}, {automation.Skip, 1, 1}, {automation.Check, 1, 1}} {
		t.Run(string(tc.verdict), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, plenty, []automation.PlannedCall{effect("a", "")})
			w.call = func(in automation.CallInput) (automation.CallResult, error) {
				if in.Verdict == automation.Retry {
					return automation.CallResult{State: automation.CallDone}, nil
				}
				return automation.CallResult{State: automation.CallUnknown, Decision: "what"}, nil
			}
			w.decide("what", "a", tc.verdict, time.Hour)
			require.Equal(t, automation.Success, w.run(t))
			require.Len(t, w.sent, tc.sent)
			require.Len(t, w.settled, tc.settled)
		})
	}
}

func TestAttemptsUsedUpAreSettledByTheLedger(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plenty, []automation.PlannedCall{effect("a", "")})
	w.call = func(automation.CallInput) (automation.CallResult, error) {
		return automation.CallResult{}, temporal.NewApplicationError("mailbox could not be reached", "upstream")
	}
	require.Equal(t, automation.Success, w.run(t))
	require.Greater(t, len(w.sent), 1)
	require.Equal(t, []string{"a"}, ids(w.settled))
	require.Empty(t, w.settled[0].Verdict)
}

func TestLimits(t *testing.T) {
	t.Parallel()
	many := make([][]automation.PlannedCall, 50)
	for i := range many {
		many[i] = []automation.PlannedCall{effect(fmt.Sprint(i), "")}
	}
	for name, tc := range map[string]struct {
		limits automation.Limits
		sent   int
	}{
		"steps":  {automation.Limits{Steps: 3, Tokens: 1 << 30, WallSeconds: 1 << 20}, 3},
		"tokens": {automation.Limits{Steps: 40, Tokens: 350, WallSeconds: 1 << 20}, 3}, // the fourth turn passes the limit, its calls are not sent
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, tc.limits, many...)
			require.Equal(t, automation.BudgetExceeded, w.run(t))
			require.Len(t, w.sent, tc.sent)
			require.Equal(t, automation.BudgetExceeded, w.finished[0].State)
			require.Equal(t, "budget_exceeded", w.finished[0].Code)
		})
	}
}

func TestWallTimeIsCheckedBeforeEachCall(t *testing.T) {
	t.Parallel()
	w := newSlowWorld(t, 2*time.Minute, automation.Limits{Steps: 40, Tokens: 1 << 30, WallSeconds: 60},
		[]automation.PlannedCall{effect("a", ""), effect("b", "")})
	require.Equal(t, automation.BudgetExceeded, w.run(t))
	require.Equal(t, []string{"a"}, ids(w.sent))
}

func TestCancelWhileWaitingClosesTheRun(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plenty, []automation.PlannedCall{effect("a", "dec")})
	w.RegisterDelayedCallback(w.CancelWorkflow, time.Hour)
	require.Equal(t, automation.Cancelled, w.run(t))
	require.Equal(t, "cancelled", w.finished[0].Code)
	require.Empty(t, w.sent)
}

func TestFailureOfTheModelEndsTheRunWithItsCode(t *testing.T) {
	t.Parallel()
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	w := &world{TestWorkflowEnvironment: suite.NewTestWorkflowEnvironment()}
	w.RegisterWorkflowWithOptions(workflows.AutomationRun, workflow.RegisterOptions{Name: automation.WorkflowRun})
	w.RegisterActivity(&activities.Run{})
	w.OnActivity(act.ResolveTools, mock.Anything, mock.Anything).Return(automation.ResolveResult{Limits: plenty, Expiry: time.Hour}, nil)
	w.OnActivity(act.PlanStep, mock.Anything, mock.Anything).Return(automation.PlanResult{},
		temporal.NewNonRetryableApplicationError("the provider refused the key", "LLM_invalid_api_key", errors.New("401")))
	w.OnActivity(act.Finish, mock.Anything, mock.Anything).Return(func(_ context.Context, in automation.FinishInput) error {
		w.finished = append(w.finished, in)
		return nil
	})
	require.Equal(t, automation.Failed, w.run(t))
	require.Equal(t, "LLM_invalid_api_key", w.finished[0].Code)
	require.Equal(t, "the provider refused the key", w.finished[0].Message)
}

func TestContinueAsNewCarriesOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plenty, []automation.PlannedCall{read("a")}, []automation.PlannedCall{read("b")})
	w.SetContinueAsNewSuggested(true)
	w.ExecuteWorkflow(automation.WorkflowRun, automation.RunInput{RunID: 1})
	var next *workflow.ContinueAsNewError
	require.ErrorAs(t, w.GetWorkflowError(), &next)
	var in automation.RunInput
	require.NoError(t, converter.GetDefaultDataConverter().FromPayloads(next.Input, &in))
	require.Equal(t, 1, in.Carry.Step)
	require.EqualValues(t, 100, in.Carry.Tokens)
	require.NotNil(t, in.Carry.Resolved)
}
