package tool

import (
	"context"
	"errors"
	"fmt"
	"time"

	"steward/internal/audit"
	"steward/internal/automation"
	"steward/internal/fault"
	"steward/internal/mcpclient"
	"steward/internal/oauth"
	"steward/internal/store"
)

// A server may go on by itself with a call and answer with a task (SEP-2663). Its id is written down before anything
// else: from then on the task is asked about, by whichever attempt comes, and nothing is called again. The row stays
// claimed. An attempt asks for a while and then gives way to a timer of the workflow's.

const (
	pollTime    = 20 * time.Second // how long one attempt goes on asking
	pollLeast   = time.Second
	pollMost    = time.Minute
	pollUsual   = 5 * time.Second // when the server does not say
	taskTimeout = 20 * time.Second
)

// tasked writes down the task that the server answered with, and asks about it.
func (x *Executor) tasked(ctx context.Context, c *call, t *mcpclient.Task) (automation.CallResult, error) {
	out, err := insist(ctx, func(ctx context.Context) (automation.CallResult, error) {
		err := x.db.Tx(ctx, func(q *store.Queries) error {
			n, err := q.NoteTask(ctx, store.NoteTaskParams{ID: c.row.ID, RunID: c.row.RunID, Fence: c.row.Fence, TaskID: t.ID})
			if err != nil {
				return fmt.Errorf("note task: %w", err)
			}
			if n == 0 {
				return errLate
			}
			if err := x.paused(ctx, q, c, "the server goes on by itself"); err != nil {
				return err
			}
			return x.polled(ctx, q, c)
		})
		if fault.CodeOf(err) == errLate.Code {
			return x.late(ctx, c)
		}
		return automation.CallResult{State: automation.CallClaimed}, err
	})
	if err != nil || out.State != automation.CallClaimed {
		return out, err
	}
	c.row.TaskID = t.ID
	return x.follow(ctx, c, x.pace(c, t))
}

// poll asks about the task of an earlier attempt.
func (x *Executor) poll(ctx context.Context, c *call) (automation.CallResult, error) {
	if _, ok := c.source.(*server); !ok {
		return x.settle(ctx, c, answer{state: automation.CallUnknown, text: gone, isError: true, from: sent, decide: true})
	}
	if err := x.polled(ctx, x.db.Queries, c); err != nil {
		return automation.CallResult{}, err
	}
	if c.round != nil && c.round.Asked != "" {
		if out, wait, err := x.tellTask(ctx, c); err != nil || wait {
			return out, err
		}
	}
	return x.follow(ctx, c, 0)
}

// follow asks about the task until it is over, waits for a person, or the attempt's time is up. It begins after wait.
func (x *Executor) follow(ctx context.Context, c *call, wait time.Duration) (automation.CallResult, error) {
	out := automation.CallResult{State: automation.CallClaimed}
	for began := time.Now(); ; {
		if time.Since(began)+wait > pollTime {
			out.Poll = wait
			return out, nil
		}
		select {
		case <-ctx.Done(): // the row says where to go on; a run that ends has its tasks cancelled by CloseRun
			return out, ctx.Err()
		case <-time.After(wait):
		}
		r, err := c.source.(*server).look(ctx, c.row.TaskID)
		switch {
		case ctx.Err() != nil:
			return out, ctx.Err()
		case err != nil:
			end, over, err := x.unseen(ctx, c, failureOf(err))
			if err != nil || over {
				return end, err
			}
			wait = x.interval(c, 0)
		case r.task == nil:
			return x.settle(ctx, c, r.answer())
		case r.task.Status == mcpclient.TaskCancelled:
			return x.settle(ctx, c, cancelledTask)
		case r.needs != nil:
			asked, waits, err := x.taskNeeds(ctx, c, r.needs)
			if err != nil || waits {
				return asked, err
			}
			wait = x.pace(c, r.task)
		default:
			wait = x.pace(c, r.task)
		}
	}
}

// cancelledTask settles what the server says it did not finish.
var cancelledTask = answer{state: automation.CallCancelled, text: "the server cancelled its task before it was done", isError: true, from: sent}

// unseen is a look at the task without an answer. What can pass is looked at again, for as long as the run may take.
func (x *Executor) unseen(ctx context.Context, c *call, f *failure) (out automation.CallResult, over bool, err error) {
	x.log.InfoContext(ctx, "task not seen", "run", c.row.RunID, "call", c.row.ID, "tool", c.tool.Label(), "reason", f.reason)
	switch {
	case f.need != nil:
		return park(c, f.need), true, nil //nolint:nilerr // the failure is told by the park
	case errors.Is(f, mcpclient.ErrTaskGone):
		out, err = x.lost(ctx, c)
		return out, true, err
	case f.told != "":
		out, err = x.settle(ctx, c, answer{state: automation.CallFailed, text: f.told, isError: true, from: sent})
		return out, true, err
	}
	return out, false, nil
}

// lost is a task that the server does not know any more: whether the call took effect is not known.
func (x *Executor) lost(ctx context.Context, c *call) (automation.CallResult, error) {
	const why = "the server no longer knows the task that it went on with"
	if c.tool.Class == automation.Read {
		return x.settle(ctx, c, answer{state: automation.CallFailed, text: why, isError: true, from: sent})
	}
	return x.resolve(ctx, c, why)
}

// pace tells people what the server says of the task, and how long to wait until the next look.
func (x *Executor) pace(c *call, t *mcpclient.Task) time.Duration {
	if c.tell != nil && t.Said != "" {
		c.tell(mcpclient.Progress{Message: t.Said})
	}
	return x.interval(c, t.Poll)
}

// interval is the server's wish within bounds, and never less than a small part of the time that the task has taken
// so far: however long one takes, it is looked at some hundreds of times, and its end is seen with little delay.
func (x *Executor) interval(c *call, wish time.Duration) time.Duration {
	if wish == 0 {
		wish = pollUsual
	}
	wish = min(max(wish, pollLeast), pollMost)
	if c.row.ClaimedAt == nil {
		return wish
	}
	return max(wish, time.Since(*c.row.ClaimedAt)/64)
}

// polled writes the intent.
func (x *Executor) polled(ctx context.Context, q *store.Queries, c *call) error {
	return x.audit(ctx, q, c.row.RunID, c.stamp, audit.ToolPolled, fmt.Sprintf("%s/%s", claimKey(c.row), c.stamp.ActivityID), pauseBody{
		Stamp: c.stamp, Call: c.row.ID, Step: int(c.row.Step), Tool: c.tool.Label(), Fence: c.row.Fence, Reason: "asks the server about its task",
	})
}

// look asks how the task stands. Errors are as those of send; one is told only if it ended the task. A JSON-RPC error
// that answers the question alone (SEP-2663: a server that cannot read its own notes just now) says nothing of the task.
func (s *server) look(ctx context.Context, task string) (reply, error) {
	ctx, cancel := context.WithTimeout(ctx, taskTimeout)
	defer cancel()
	result, err := s.reg.Task(ctx, s.owner, s.row, task)
	if err != nil {
		if errors.Is(err, mcpclient.ErrTaskGone) {
			return reply{}, &failure{ran: true, reason: "the task is gone", err: mcpclient.ErrTaskGone}
		}
		if need, ok := errors.AsType[*oauth.ConsentError](err); ok {
			return reply{}, &failure{ran: true, reason: need.Reason, need: need, err: err}
		}
		f := failureOf(s.failure(err))
		if !errors.Is(err, mcpclient.ErrTaskFailed) {
			f.told = ""
		}
		return reply{}, f
	}
	return s.replyOf(ctx, result)
}
