package tool

import (
	"context"
	"time"

	"steward/internal/automation"
	"steward/internal/mcpclient"
	"steward/internal/registry"
)

// How a task is given up: it is asked to end, and looked at until it has.
const (
	cancelTime = 6 * time.Second
	cancelLook = 500 * time.Millisecond
)

// endTask asks the server to give the task up, and settles the call with what the server then says of it. What it
// does not say stays unknown.
func (x *Executor) endTask(ctx context.Context, c *call, why string) (automation.CallResult, error) {
	a, over := x.giveUp(ctx, c)
	if !over {
		a = answer{
			state: automation.CallUnknown, isError: true, from: sent,
			text: why + "; the server was asked to cancel its task and has not said that it did",
		}
		if c.tool.Class == automation.Read {
			a.state = automation.CallCancelled
		}
	}
	return x.settle(ctx, c, a)
}

func (x *Executor) giveUp(ctx context.Context, c *call) (a answer, over bool) {
	s, ok := c.source.(*server)
	if !ok {
		return a, false
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cancelTime)
	defer cancel()
	if err := s.reg.CancelTask(ctx, s.owner, s.row, c.row.TaskID); err != nil {
		x.log.WarnContext(ctx, "task not cancelled", "call", c.row.ID, "tool", c.tool.Label(), "reason", registry.Reason(err))
	}
	for {
		if a, over = x.seen(ctx, c, s); over {
			return a, true
		}
		select {
		case <-ctx.Done():
			return a, false
		case <-time.After(cancelLook):
		}
	}
}

// seen is how the task ended, if it did.
func (x *Executor) seen(ctx context.Context, c *call, s *server) (a answer, over bool) {
	r, err := s.look(ctx, c.row.TaskID)
	switch {
	case err != nil:
		f := failureOf(err)
		return answer{state: automation.CallFailed, text: f.told, isError: true, from: sent}, f.told != ""
	case r.task == nil:
		return r.answer(), true
	case r.task.Status == mcpclient.TaskCancelled:
		return cancelledTask, true
	}
	return a, false
}

// probeTask asks the task what became of its call.
func (x *Executor) probeTask(ctx context.Context, c *call) (p probed, over bool) {
	s, ok := c.source.(*server)
	if !ok {
		return cannotTell(gone), false
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), probeTimeout)
	defer cancel()
	a, over := x.seen(ctx, c, s)
	switch {
	case !over:
		return cannotTell("the server does not say how its task ended"), false
	case a.state == automation.CallDone:
		return probed{automation.OutcomeDone, a.text}, true
	}
	return probed{automation.OutcomeFailed, ""}, true
}
