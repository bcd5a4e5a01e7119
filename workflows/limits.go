package workflows

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/workflow"
)

// budgetExceeded is the stable error code of a run that ended at one of its limits.
const budgetExceeded = "budget_exceeded"

// overLimit is asked before each call to the model or a tool.
func (r *run) overLimit(ctx workflow.Context) (code, message string) {
	switch l := r.limits; {
	case r.carry.Step >= l.Steps:
		return budgetExceeded, fmt.Sprintf("the limit of %d steps is reached", l.Steps)
	case r.carry.Tokens >= l.Tokens:
		return budgetExceeded, fmt.Sprintf("the limit of %d tokens is reached: %d are used", l.Tokens, r.carry.Tokens)
	case r.active(ctx) >= time.Duration(l.WallSeconds)*time.Second:
		return budgetExceeded, fmt.Sprintf("the limit of %d seconds is reached; time spent waiting for a person does not count", l.WallSeconds)
	}
	return "", ""
}

// active is the wall time of the run so far without the waits for a person.
func (r *run) active(ctx workflow.Context) time.Duration {
	active := r.carry.Active + workflow.Now(ctx).Sub(r.began) - r.waited
	if r.waiting > 0 {
		active -= workflow.Now(ctx).Sub(r.since)
	}
	return active
}

// pause and resume bracket a wait; side by side waits count once.
func (r *run) pause(ctx workflow.Context) {
	if r.waiting++; r.waiting == 1 {
		r.since = workflow.Now(ctx)
	}
}

func (r *run) resume(ctx workflow.Context) {
	if r.waiting--; r.waiting == 0 {
		r.waited += workflow.Now(ctx).Sub(r.since)
	}
}
