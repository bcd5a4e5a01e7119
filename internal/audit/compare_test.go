package audit

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"steward/internal/automation"
)

func TestCompare(t *testing.T) {
	t.Parallel()
	plan := func(id string) Activity {
		return Activity{TemporalRunID: "t1", ActivityID: id, Type: automation.ActivityPlanStep, Attempt: 2, Completed: true}
	}
	call := func(id string) Activity {
		return Activity{TemporalRunID: "t1", ActivityID: id, Type: automation.ActivityCallTool, Attempt: 1, Completed: true}
	}
	tr := func(kind, id string, attempt int32) trace {
		return trace{seq: 9, kind: kind, TemporalRunID: "t1", ActivityID: id, Attempt: attempt}
	}
	for name, row := range map[string]struct {
		traces     []trace
		activities []Activity
		want       []Finding
	}{
		"nothing": {},
		"all there": {
			traces: []trace{
				tr(ModelCalled, "5", 1), tr(ModelFailed, "5", 1), tr(ModelCalled, "5", 2), tr(ModelAnswered, "5", 2),
				tr(ToolClaimed, "11", 1), tr(ToolSettled, "11", 1), tr(ToolRefused, "12", 1),
			},
			activities: []Activity{plan("5"), call("11"), call("12")},
		},
		"no intent of the model": {
			traces: []trace{tr(ModelAnswered, "5", 1)}, activities: []Activity{plan("5")},
			want: []Finding{{Chain: "run/1", Problem: Unrecorded, Detail: "model.called: PlanStep 5 of t1 completed without it"}},
		},
		"no answer of the model": {
			traces: []trace{tr(ModelCalled, "5", 1)}, activities: []Activity{plan("5")},
			want: []Finding{{Chain: "run/1", Problem: Unrecorded, Detail: "model.answered: PlanStep 5 of t1 completed without it"}},
		},
		"no claim": {
			traces: []trace{tr(ToolSettled, "11", 1)}, activities: []Activity{call("11")},
			want: []Finding{{Chain: "run/1", Problem: Unrecorded, Detail: "tool.claimed: CallTool 11 of t1 completed without it"}},
		},
		"taken over from another worker's activity": {
			traces:     []trace{tr(ToolClaimed, "11", 1), tr(ToolResumed, "12", 1), tr(ToolSettled, "12", 1)},
			activities: []Activity{{TemporalRunID: "t1", ActivityID: "11", Type: automation.ActivityCallTool, Attempt: 1}, call("12")},
		},
		"taken over without an outcome": {
			traces: []trace{tr(ToolResumed, "12", 1)}, activities: []Activity{call("12")},
			want: []Finding{{Chain: "run/1", Problem: Unrecorded, Detail: "tool.settled: CallTool 12 of t1 completed without it"}},
		},
		"no outcome": {
			traces: []trace{tr(ToolClaimed, "11", 1)}, activities: []Activity{call("11")},
			want: []Finding{{Chain: "run/1", Problem: Unrecorded, Detail: "tool.settled: CallTool 11 of t1 completed without it"}},
		},
		"the branch of a Reset left nothing": {
			traces:     []trace{tr(ToolClaimed, "11", 1), tr(ToolSettled, "11", 1)},
			activities: []Activity{call("11"), {TemporalRunID: "t2", ActivityID: "11", Type: automation.ActivityCallTool, Completed: true}},
			want:       []Finding{{Chain: "run/1", Problem: Unrecorded, Detail: "tool.claimed: CallTool 11 of t2 completed without it"}},
		},
		"others are not asked": {
			activities: []Activity{
				{TemporalRunID: "t1", ActivityID: "5", Type: automation.ActivityPlanStep}, // pending or failed
				{TemporalRunID: "t1", ActivityID: "6", Type: automation.ActivityFinish, Completed: true},
			},
		},
		"one step found the budget used up": {
			traces:     []trace{{kind: RunFinished, TemporalRunID: "t1", ActivityID: "8", State: automation.BudgetExceeded}},
			activities: []Activity{plan("5"), plan("7"), {TemporalRunID: "t1", ActivityID: "8", Type: automation.ActivityFinish}},
			want:       []Finding{{Chain: "run/1", Problem: Unrecorded, Detail: "model.called: PlanStep 7 of t1 completed without it"}},
		},
		"an event of no activity": {
			traces: []trace{tr(ToolClaimed, "99", 1)},
			want:   []Finding{{Chain: "run/1", Seq: 9, Problem: Unexplained, Detail: "tool.claimed: activity 99 is not in the history of t1"}},
		},
		"an attempt that never was": {
			traces: []trace{tr(ModelCalled, "5", 3), tr(ModelAnswered, "5", 3)}, activities: []Activity{plan("5")},
			want: []Finding{
				{Chain: "run/1", Seq: 9, Problem: Unexplained, Detail: "model.called: activity 5 had 2 attempts, not 3"},
				{Chain: "run/1", Seq: 9, Problem: Unexplained, Detail: "model.answered: activity 5 had 2 attempts, not 3"},
			},
		},
		"an intent that names nothing": {
			traces: []trace{{seq: 9, kind: ModelCalled}},
			want:   []Finding{{Chain: "run/1", Seq: 9, Problem: Unexplained, Detail: "model.called: names no activity"}},
		},
		"in the background": {traces: []trace{tr(ModelCalled, "5", 1), tr(ModelAccepted, "5", 1), tr(ModelAnswered, "5", 1)}, activities: []Activity{plan("5")}},
		"taken up again":    {traces: []trace{tr(ModelFound, "5", 1), tr(ModelAnswered, "5", 1)}, activities: []Activity{plan("5")}},
		"no answer from the background": {
			traces: []trace{tr(ModelFound, "5", 1)}, activities: []Activity{plan("5")},
			want: []Finding{{Chain: "run/1", Problem: Unrecorded, Detail: "model.answered: PlanStep 5 of t1 completed without it"}},
		},
		"put off": {
			traces: []trace{
				tr(ModelCalled, "5", 2), tr(ModelFailed, "5", 2), tr(ModelDeferred, "5", 2), tr(RunParked, "6", 1),
				tr(ModelRefused, "7", 1), tr(ToolDeferred, "8", 1), tr(ModelDeferred, "9", 1),
			},
			activities: []Activity{
				plan("5"),
				{TemporalRunID: "t1", ActivityID: "6", Type: automation.ActivityParkRun, Attempt: 1, Completed: true},
				plan("7"), call("8"),
				plan("9"),
			},
		},
		"put off in silence": {
			activities: []Activity{{TemporalRunID: "t1", ActivityID: "6", Type: automation.ActivityParkRun, Attempt: 1, Completed: true}},
			want:       []Finding{{Chain: "run/1", Problem: Unrecorded, Detail: "run.parked: ParkRun 6 of t1 completed without it"}},
		},
		"a park that nobody asked for": {
			traces: []trace{tr(RunParked, "99", 1)},
			want:   []Finding{{Chain: "run/1", Seq: 9, Problem: Unexplained, Detail: "run.parked: activity 99 is not in the history of t1"}},
		},
		"closed from outside": {traces: []trace{{kind: ToolSettled}, {kind: RunFinished}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var r Report
			explain("run/1", row.traces, row.activities, &r)
			demand("run/1", row.traces, row.activities, &r)
			require.Empty(t, cmp.Diff(row.want, r.Findings))
		})
	}
}
