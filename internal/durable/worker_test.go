package durable_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/sdk/workflow"

	"steward/internal/durable"
	"steward/internal/secret"
)

func echo(_ workflow.Context, text string) (string, error) { return text, nil }

// history is a whole run of echo, as a server would have recorded it.
func history(t *testing.T, ring *secret.Ring) *historypb.History {
	t.Helper()
	payloads, err := durable.DataConverter(ring).ToPayloads("value")
	require.NoError(t, err)
	started := &historypb.WorkflowExecutionStartedEventAttributes{
		WorkflowType: &commonpb.WorkflowType{Name: "Echo"}, TaskQueue: &taskqueuepb.TaskQueue{Name: "q"}, Input: payloads,
		OriginalExecutionRunId: "r", FirstExecutionRunId: "r", Attempt: 1,
	}
	return &historypb.History{Events: []*historypb.HistoryEvent{
		{EventId: 1, EventType: enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED, Attributes: &historypb.HistoryEvent_WorkflowExecutionStartedEventAttributes{WorkflowExecutionStartedEventAttributes: started}},
		{EventId: 2, EventType: enumspb.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED, Attributes: &historypb.HistoryEvent_WorkflowTaskScheduledEventAttributes{WorkflowTaskScheduledEventAttributes: &historypb.WorkflowTaskScheduledEventAttributes{}}},
		{EventId: 3, EventType: enumspb.EVENT_TYPE_WORKFLOW_TASK_STARTED, Attributes: &historypb.HistoryEvent_WorkflowTaskStartedEventAttributes{WorkflowTaskStartedEventAttributes: &historypb.WorkflowTaskStartedEventAttributes{ScheduledEventId: 2}}},
		{EventId: 4, EventType: enumspb.EVENT_TYPE_WORKFLOW_TASK_COMPLETED, Attributes: &historypb.HistoryEvent_WorkflowTaskCompletedEventAttributes{WorkflowTaskCompletedEventAttributes: &historypb.WorkflowTaskCompletedEventAttributes{ScheduledEventId: 2, StartedEventId: 3}}},
		{EventId: 5, EventType: enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED, Attributes: &historypb.HistoryEvent_WorkflowExecutionCompletedEventAttributes{WorkflowExecutionCompletedEventAttributes: &historypb.WorkflowExecutionCompletedEventAttributes{Result: payloads, WorkflowTaskCompletedEventId: 4}}},
	}}
}

func TestReplayerOpensHistories(t *testing.T) {
	t.Parallel()
	ring, _ := newRing(t)
	stranger, _ := newRing(t)
	for name, c := range map[string]struct {
		ring *secret.Ring
		good bool
	}{"same ring": {ring, true}, "another ring": {stranger, false}} {
		replayer, err := durable.NewReplayer(c.ring)
		require.NoError(t, err)
		replayer.RegisterWorkflowWithOptions(echo, workflow.RegisterOptions{Name: "Echo"})
		err = replayer.ReplayWorkflowHistory(nil, history(t, ring))
		require.Equal(t, c.good, err == nil, "%s: %v", name, err)
	}
}
