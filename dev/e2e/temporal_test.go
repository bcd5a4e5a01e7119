package e2e_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
)

// temporal is a client without our codec: what it reads is what Temporal stores.
func (s *stack) temporal(t testing.TB) client.Client {
	t.Helper()
	p, err := s.part("temporal")
	require.NoError(t, err)
	c, err := client.DialContext(t.Context(), client.Options{HostPort: p.Address})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

// events reads a whole history; an empty runID means the latest run of the workflow.
func events(t testing.TB, c client.Client, workflow, runID string) []*historypb.HistoryEvent {
	t.Helper()
	var all []*historypb.HistoryEvent
	it := c.GetWorkflowHistory(t.Context(), workflow, runID, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for it.HasNext() {
		e, err := it.Next()
		require.NoError(t, err)
		all = append(all, e)
	}
	return all
}

// reset resets the latest run of a workflow to before the workflow task that ended with this event, as an
// operator does, and returns the new run's id.
func reset(t testing.TB, c client.Client, workflow string, event int64) string {
	t.Helper()
	res, err := c.ResetWorkflowExecution(t.Context(), &workflowservice.ResetWorkflowExecutionRequest{
		Namespace: client.DefaultNamespace, WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: workflow},
		Reason: "a test of the operator's reset", WorkflowTaskFinishEventId: event, RequestId: uuid.NewString(),
	})
	require.NoError(t, err)
	return res.GetRunId()
}

// scheduling finds the workflow task that scheduled the nth activity of a type, from 1; the first task
// after that activity's end is the second result.
func scheduling(t testing.TB, all []*historypb.HistoryEvent, activity string, nth int) (before, after int64) {
	t.Helper()
	scheduled := int64(0)
	for _, e := range all {
		if a := e.GetActivityTaskScheduledEventAttributes(); a.GetActivityType().GetName() == activity {
			if nth--; nth == 0 {
				before, scheduled = a.GetWorkflowTaskCompletedEventId(), e.GetEventId()
			}
		}
		if scheduled != 0 && e.GetActivityTaskCompletedEventAttributes().GetScheduledEventId() == scheduled {
			after = e.GetEventId()
		}
		if after != 0 && e.GetEventType() == enumspb.EVENT_TYPE_WORKFLOW_TASK_COMPLETED {
			return before, e.GetEventId()
		}
	}
	require.Positive(t, before, "no such activity %s", activity)
	return before, 0
}
