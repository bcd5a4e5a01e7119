package audit

import (
	"context"
	"errors"
	"fmt"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
)

// historyReader is the part of client.Client that is used.
type historyReader interface {
	GetWorkflowHistory(ctx context.Context, workflowID, runID string, isLongPoll bool, filter enumspb.HistoryEventFilterType) client.HistoryEventIterator
}

// TemporalHistory reads histories from a Temporal server. Payloads are not decoded.
func TemporalHistory(c historyReader) HistorySource {
	return func(ctx context.Context, workflowID string) ([]Activity, error) {
		var all []Activity
		seen := map[string]bool{}
		// "" is the latest run; the others are found by the links of continue-as-new and Reset.
		for queue := []string{""}; len(queue) > 0; queue = queue[1:] {
			if seen[queue[0]] {
				continue
			}
			run, err := readHistory(ctx, c, workflowID, queue[0])
			if err != nil {
				return nil, err
			}
			seen[queue[0]], seen[run.id] = true, true
			all = append(all, run.activities()...)
			queue = append(queue, run.links...)
		}
		return all, nil
	}
}

// temporalRun collects one run's history.
type temporalRun struct {
	id        string
	links     []string
	resetAt   int64 // events up to this one are copied from the run that was reset
	order     []int64
	scheduled map[int64]*task // by the scheduling event
}

type task struct {
	Activity
	closedAt int64
}

func readHistory(ctx context.Context, c historyReader, workflowID, runID string) (*temporalRun, error) {
	run := &temporalRun{scheduled: map[int64]*task{}}
	events := c.GetWorkflowHistory(ctx, workflowID, runID, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		e, err := events.Next()
		if _, gone := errors.AsType[*serviceerror.NotFound](err); gone {
			return nil, ErrHistoryGone
		}
		if err != nil {
			return nil, fmt.Errorf("read workflow history: %w", err)
		}
		run.take(e)
	}
	if runID != "" {
		run.id = runID
	}
	return run, nil
}

func (r *temporalRun) take(e *historypb.HistoryEvent) {
	if a := e.GetWorkflowExecutionStartedEventAttributes(); a != nil {
		r.id = a.GetOriginalExecutionRunId()
		r.link(a.GetContinuedExecutionRunId())
	}
	if a := e.GetWorkflowTaskFailedEventAttributes(); a != nil && a.GetCause() == enumspb.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW {
		r.id, r.resetAt = a.GetNewRunId(), e.GetEventId() // the last one counts: a reset run can be reset again
		r.link(a.GetBaseRunId())
	}
	r.link(e.GetWorkflowExecutionContinuedAsNewEventAttributes().GetNewExecutionRunId())
	if a := e.GetActivityTaskScheduledEventAttributes(); a != nil {
		r.order = append(r.order, e.GetEventId())
		r.scheduled[e.GetEventId()] = &task{Activity: Activity{ActivityID: a.GetActivityId(), Type: a.GetActivityType().GetName()}}
	}
	if a := e.GetActivityTaskStartedEventAttributes(); a != nil {
		r.at(a.GetScheduledEventId()).Attempt = a.GetAttempt()
	}
	if a := e.GetActivityTaskCompletedEventAttributes(); a != nil {
		r.at(a.GetScheduledEventId()).Completed = true
		r.close(a.GetScheduledEventId(), e)
	}
	r.close(e.GetActivityTaskFailedEventAttributes().GetScheduledEventId(), e)
	r.close(e.GetActivityTaskTimedOutEventAttributes().GetScheduledEventId(), e)
	r.close(e.GetActivityTaskCanceledEventAttributes().GetScheduledEventId(), e)
}

func (r *temporalRun) link(id string) {
	if id != "" {
		r.links = append(r.links, id)
	}
}

// at is the task of a scheduling event; a history that lacks it gets one that is thrown away.
func (r *temporalRun) at(scheduled int64) *task {
	if t, ok := r.scheduled[scheduled]; ok {
		return t
	}
	return &task{}
}

func (r *temporalRun) close(scheduled int64, e *historypb.HistoryEvent) {
	if scheduled != 0 {
		r.at(scheduled).closedAt = e.GetEventId()
	}
}

// activities lists what this run did itself: not what it copied, closed, from the run before a Reset.
func (r *temporalRun) activities() []Activity {
	var own []Activity
	for _, id := range r.order {
		t := r.scheduled[id]
		if t.closedAt != 0 && t.closedAt <= r.resetAt {
			continue
		}
		t.TemporalRunID = r.id
		own = append(own, t.Activity)
	}
	return own
}
