package workflows

import (
	"errors"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"steward/internal/automation"
)

// homeWait is how long a call waits for the worker that has its session. One that is alive takes it at once.
const homeWait = 10 * time.Second

// call executes the activity, and that of a server which keeps state in its session in the worker that has it
// (temporal.md §6). The first call of the run finds out which worker that is; others wait for it.
func (r *run) call(ctx, actx workflow.Context, session int64, in automation.CallInput, out *automation.CallResult) error {
	if session == 0 {
		return workflow.ExecuteActivity(actx, act.CallTool, in).Get(ctx, out)
	}
	in.Session = session
	if err := workflow.Await(ctx, func() bool { return !r.finding[session] }); err != nil {
		return err
	}
	if home := r.carry.Homes[session]; home != "" {
		err := workflow.ExecuteActivity(atHome(actx, home), act.CallTool, in).Get(ctx, out)
		if !notTaken(err) {
			return err
		}
		if r.carry.Homes[session] == home { // nobody else has noticed yet
			delete(r.carry.Homes, session)
		}
		in.Moved = true
		return r.call(ctx, actx, session, in, out)
	}
	r.finding[session] = true
	defer func() { r.finding[session] = false }()
	err := workflow.ExecuteActivity(actx, act.CallTool, in).Get(ctx, out)
	if err == nil && out.Queue != "" {
		if r.carry.Homes == nil {
			r.carry.Homes = map[int64]string{}
		}
		r.carry.Homes[session] = out.Queue
	}
	return err
}

// atHome schedules on the queue of one worker.
func atHome(ctx workflow.Context, queue string) workflow.Context {
	o := workflow.GetActivityOptions(ctx)
	o.TaskQueue, o.ScheduleToStartTimeout = queue, homeWait
	return workflow.WithActivityOptions(ctx, o)
}

// notTaken says that the worker is not there any more: nobody took the call up in time.
func notTaken(err error) bool {
	timeout, ok := errors.AsType[*temporal.TimeoutError](err)
	return ok && timeout.TimeoutType() == enumspb.TIMEOUT_TYPE_SCHEDULE_TO_START
}
