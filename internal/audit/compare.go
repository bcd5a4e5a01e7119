package audit

import (
	"fmt"
	"slices"

	"steward/internal/automation"
)

// place identifies an activity: its id is unique within a Temporal run only.
type place struct{ run, activity string }

// explain demands an activity for each audit event.
func explain(chain string, traces []trace, activities []Activity, r *Report) {
	known := make(map[place]Activity, len(activities))
	for _, a := range activities {
		known[place{a.TemporalRunID, a.ActivityID}] = a
	}
	for _, t := range traces {
		a, ok := known[place{t.TemporalRunID, t.ActivityID}]
		var reason string
		switch {
		case t.ActivityID == "" && mayBeReconciled(t.kind):
			continue
		case t.ActivityID == "":
			reason = "names no activity"
		case !ok:
			reason = fmt.Sprintf("activity %s is not in the history of %s", t.ActivityID, t.TemporalRunID)
		case a.Attempt > 0 && t.Attempt > a.Attempt:
			reason = fmt.Sprintf("activity %s had %d attempts, not %d", t.ActivityID, a.Attempt, t.Attempt)
		default:
			continue
		}
		r.add(Finding{Chain: chain, Seq: t.seq, Problem: Unexplained, Detail: t.kind + ": " + reason})
	}
}

// mayBeReconciled names the events that are also written when a workflow was ended from outside: they
// close what is open and tell of nothing that was sent.
func mayBeReconciled(kind string) bool {
	return kind == ToolResumed || kind == ToolSettled || kind == ToolRefused || kind == RunFinished
}

// demand asks for the audit events of each completed activity that works outside.
func demand(chain string, traces []trace, activities []Activity, r *Report) {
	left := map[place]map[string]bool{}
	budget := map[string]bool{} // Temporal runs that ended before asking the model
	for _, t := range traces {
		p := place{t.TemporalRunID, t.ActivityID}
		if left[p] == nil {
			left[p] = map[string]bool{}
		}
		left[p][t.kind] = true
		if t.kind == RunFinished && t.State == automation.BudgetExceeded {
			budget[t.TemporalRunID] = true
		}
	}
	for _, a := range activities {
		if !a.Completed {
			continue
		}
		missing := lacks(a.Type, left[place{a.TemporalRunID, a.ActivityID}])
		if missing == ModelCalled && budget[a.TemporalRunID] {
			delete(budget, a.TemporalRunID) // before there was model.refused, one step found the budget used up in silence
			continue
		}
		if missing != "" {
			r.add(Finding{Chain: chain, Problem: Unrecorded, Detail: fmt.Sprintf(
				"%s: %s %s of %s completed without it", missing, a.Type, a.ActivityID, a.TemporalRunID)})
		}
	}
}

// lacks is the first event that a completed activity of this type should have left and did not.
func lacks(activity string, left map[string]bool) string {
	has := func(kinds ...string) bool {
		return slices.ContainsFunc(kinds, func(kind string) bool { return left[kind] })
	}
	switch {
	case activity == automation.ActivityPlanStep && has(ModelRefused, ModelDeferred):
	case activity == automation.ActivityPlanStep && !has(ModelCalled, ModelFound):
		return ModelCalled
	case activity == automation.ActivityPlanStep && !has(ModelAnswered, ModelFailed):
		return ModelAnswered
	case activity == automation.ActivityParkRun && !has(RunParked):
		return RunParked
	case activity == automation.ActivityCallTool && has(ToolRefused, ToolDeferred, ToolPaused, ToolPolled):
	case activity == automation.ActivityCallTool && !has(ToolClaimed, ToolResumed):
		return ToolClaimed
	case activity == automation.ActivityCallTool && !has(ToolSettled):
		return ToolSettled
	}
	return ""
}
