package workflows

import (
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"steward/internal/automation"
)

// question is one that a person has not answered yet, as the workflow knows it.
type question struct {
	call string
	kind automation.DecisionKind
}

// handleDecisions takes the Update "decide". PostgreSQL is the authority for what a decision may do (it
// is written there first, and used once); here it only wakes the call that waits. A decision may come
// before the workflow has learnt of its question: it is kept.
func (r *run) handleDecisions(ctx workflow.Context) error {
	return workflow.SetUpdateHandlerWithOptions(ctx, automation.UpdateDecide,
		func(_ workflow.Context, d automation.Decision) error {
			r.verdicts[d.ID] = d.Verdict
			return nil
		},
		workflow.UpdateHandlerOptions{Validator: func(_ workflow.Context, d automation.Decision) error {
			return r.accepts(d)
		}, Description: "a person's decision on a tool call"})
}

// accepts refuses without leaving an event in the history.
func (r *run) accepts(d automation.Decision) error {
	q, known := r.open[d.ID]
	switch {
	case d.ID == "" || d.Call == "" || d.Verdict == "":
		return temporal.NewNonRetryableApplicationError("the decision is incomplete", "invalid", nil)
	case r.closing:
		return temporal.NewNonRetryableApplicationError("the run has ended", "run_ended", nil)
	case known && (q.call != d.Call || !q.kind.Allows(d.Verdict)):
		return temporal.NewNonRetryableApplicationError("the decision does not answer the question", "invalid", nil)
	case r.verdicts[d.ID] != "" && r.verdicts[d.ID] != d.Verdict:
		return temporal.NewNonRetryableApplicationError("the question is already decided", "conflict", nil)
	}
	return nil
}

// wait blocks until a person answers or the question expires. The wait holds no process and no
// connection, and does not count against the run's wall time.
func (r *run) wait(ctx workflow.Context, id string, q question, about string) (automation.Verdict, error) {
	r.open[id] = q
	defer delete(r.open, id)
	if v := r.verdicts[id]; v != "" {
		return v, nil
	}
	workflow.SetCurrentDetails(ctx, "waiting for a person: "+about)
	r.pause(ctx)
	answered, err := workflow.AwaitWithTimeout(ctx, r.expiry, func() bool { return r.verdicts[id] != "" })
	r.resume(ctx)
	workflow.SetCurrentDetails(ctx, "")
	switch {
	case err != nil:
		return "", err
	case !answered:
		return automation.Expired, nil
	}
	return r.verdicts[id], nil
}
