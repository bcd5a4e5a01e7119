package audit_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"steward/dev/stack/stacktest"
	"steward/internal/audit"
	"steward/internal/automation"
	"steward/internal/store"
	"steward/internal/storetest"
)

// worked is what the stand-ins for the activities of a run do: they leave the audit events.
type worked struct{ db *store.DB }

func (w *worked) PlanStep(ctx context.Context, run int64) error {
	return w.leave(ctx, run, audit.ModelCalled, audit.ModelAnswered)
}

func (w *worked) CallTool(ctx context.Context, run int64) error {
	if activity.GetInfo(ctx).Attempt == 1 {
		_ = w.leave(ctx, run, audit.ToolClaimed, audit.ToolReleased)
		return temporal.NewApplicationError("again", "again")
	}
	return w.leave(ctx, run, audit.ToolClaimed, audit.ToolSettled)
}

func (w *worked) leave(ctx context.Context, run int64, kinds ...string) error {
	info := activity.GetInfo(ctx)
	for _, kind := range kinds {
		_, err := audit.Append(ctx, w.db.Queries, audit.Event{
			Chain: automation.AuditChain(run), Kind: kind, Actor: "worker",
			Key: fmt.Sprintf("%s/%s/%s/%d", info.WorkflowExecution.RunID, kind, info.ActivityID, info.Attempt),
			Body: map[string]any{
				"temporal_run_id": info.WorkflowExecution.RunID, "activity_id": info.ActivityID, "attempt": info.Attempt,
			},
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// twoRounds plans and calls, continues as new, and does so again.
func twoRounds(ctx workflow.Context, run int64, round int) error {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: time.Minute, RetryPolicy: &temporal.RetryPolicy{InitialInterval: time.Millisecond, MaximumAttempts: 3},
	})
	for _, name := range []string{automation.ActivityPlanStep, automation.ActivityCallTool} {
		if err := workflow.ExecuteActivity(ctx, name, run).Get(ctx, nil); err != nil {
			return err
		}
	}
	if round == 1 {
		return workflow.NewContinueAsNewError(ctx, "TwoRounds", run, 2)
	}
	return nil
}

// TestTemporalHistory compares with a real server: continue-as-new, a Reset, and a Reset of a Reset.
func TestTemporalHistory(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	c := stacktest.DialTemporal(t, storetest.Server(t))
	w := worker.New(c, "q", worker.Options{})
	w.RegisterWorkflowWithOptions(twoRounds, workflow.RegisterOptions{Name: "TwoRounds"})
	w.RegisterActivity(&worked{l.db})
	require.NoError(t, w.Start())
	t.Cleanup(w.Stop)

	l.tamper(t, `INSERT INTO automation_runs (id, owner, actor, workflow_id, instructions_sealed, limits, dispatched_at)
		VALUES (7, 'o', 'o', 'run/seven', '', '{}', now()), (8, 'o', 'o', 'run/forgotten', '', '{}', now())`)
	run, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: "run/seven", TaskQueue: "q"}, "TwoRounds", int64(7), 1)
	require.NoError(t, err)
	require.NoError(t, run.Get(t.Context(), nil))
	history := audit.TemporalHistory(c)
	check := func(activities int64) {
		t.Helper()
		r := audit.CheckTemporal(t.Context(), l.db, history)
		require.Empty(t, r.Findings)
		require.Equal(t, 0, r.ExitCode(), r.CannotTell)
		require.Equal(t, []int64{activities, 1, 1}, []int64{r.Activities, r.Chains, r.Forgotten})
	}
	check(4)

	// A Reset to the first workflow task repeats everything of the second round; one to the task after
	// PlanStep copies it and repeats CallTool alone.
	reset(t, c, 1)
	check(6)
	reset(t, c, 2)
	check(7)

	l.tamper(t, `DELETE FROM audit_events WHERE chain = 'run/7' AND seq IN (SELECT max(seq) FROM audit_events WHERE chain = 'run/7' AND kind = 'tool.settled')`,
		`UPDATE audit_events SET body = replace(body, '"activity_id":"5"', '"activity_id":"55"') WHERE chain = 'run/7' AND seq = 1`)
	r := audit.CheckTemporal(t.Context(), l.db, history)
	require.Equal(t, 1, r.ExitCode())
	var problems []audit.Problem
	for _, f := range r.Findings {
		require.Equal(t, "run/7", f.Chain)
		problems = append(problems, f.Problem)
	}
	require.Empty(t, cmp.Diff([]audit.Problem{audit.Unexplained, audit.Unrecorded, audit.Unrecorded}, problems))

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.Equal(t, 2, audit.CheckTemporal(ctx, l.db, history).ExitCode())
}

// reset starts the latest run again from its nth workflow task on.
func reset(t *testing.T, c client.Client, nth int) {
	t.Helper()
	var at int64
	events := c.GetWorkflowHistory(t.Context(), "run/seven", "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() && nth > 0 {
		e, err := events.Next()
		require.NoError(t, err)
		if e.GetEventType() == enumspb.EVENT_TYPE_WORKFLOW_TASK_COMPLETED {
			nth--
			at = e.GetEventId()
		}
	}
	res, err := c.ResetWorkflowExecution(t.Context(), &workflowservice.ResetWorkflowExecutionRequest{
		Namespace: "default", WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: "run/seven"},
		WorkflowTaskFinishEventId: at, RequestId: fmt.Sprint("reset-", at), Reason: "test",
	})
	require.NoError(t, err)
	require.NoError(t, c.GetWorkflow(t.Context(), "run/seven", res.GetRunId()).Get(t.Context(), nil))
}
