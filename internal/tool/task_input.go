package tool

import (
	"context"
	"errors"
	"fmt"
	"time"

	"steward/internal/automation"
	"steward/internal/fault"
	"steward/internal/mcpclient"
	"steward/internal/store"
)

// tellAgain is how long a task may go on asking what it was told before it is told again. An attempt that has not told
// it yet does so at once: the one before may have died over it.
const tellAgain = 10 * time.Second

// taskNeeds asks a person what a task needs; waits is false if nothing new is asked.
func (x *Executor) taskNeeds(ctx context.Context, c *call, n *mcpclient.Needs) (out automation.CallResult, waits bool, err error) {
	r := &round{Number: c.round.number(), Answers: map[string]mcpclient.Answer{}}
	if c.round != nil { // what was answered stays so: a task never uses a key twice
		r.Answers = c.round.Answers
	}
	r.Questions = n.Questions
	if _, more := r.next(); !more { // the server has not taken the answers yet, or has lost them
		if len(n.Questions) == 0 || time.Since(c.told) < tellAgain {
			return out, false, nil
		}
		c.round = r
		return x.tell(ctx, c)
	}
	r.Number++
	in, ask := r.toAsk()
	c.round = r
	if !ask || r.Number > mostRounds {
		return x.refuseTask(ctx, c)
	}
	out, err = insist(ctx, func(ctx context.Context) (automation.CallResult, error) { return x.askForTask(ctx, c, in) })
	return out, true, err
}

// askForTask opens the question and keeps it with the call, which stays claimed.
func (x *Executor) askForTask(ctx context.Context, c *call, in Input) (automation.CallResult, error) {
	out := automation.CallResult{State: automation.CallClaimed}
	sealed, err := x.sealRound(c.row, c.round)
	if err != nil {
		return out, err
	}
	err = x.db.Tx(ctx, func(q *store.Queries) error {
		n, err := q.PutRound(ctx, store.PutRoundParams{ID: c.row.ID, RunID: c.row.RunID, Fence: c.row.Fence, RoundSealed: sealed})
		if err != nil {
			return fmt.Errorf("keep questions: %w", err)
		}
		if n == 0 {
			return errLate
		}
		if out.Decision, err = x.askInput(ctx, q, c, in, 0); err != nil {
			return err
		}
		if err := x.showAsking(ctx, q, c, out.Decision); err != nil {
			return err
		}
		return x.paused(ctx, q, c, "the server's task asks before it goes on")
	})
	if fault.CodeOf(err) == errLate.Code {
		return x.late(ctx, c)
	}
	c.row.RoundSealed = sealed
	return out, err
}

// refuseTask tells the task that nobody answers what nobody can be asked, or is asked too often.
func (x *Executor) refuseTask(ctx context.Context, c *call) (out automation.CallResult, wait bool, err error) {
	for key, more := c.round.next(); more; key, more = c.round.next() {
		c.round.answer(key, unanswered)
	}
	c.round.Asked = ""
	return x.tell(ctx, c)
}

// tellTask takes a person's answer to the task; wait is true while there is none, or while it could not be given.
func (x *Executor) tellTask(ctx context.Context, c *call) (out automation.CallResult, wait bool, err error) {
	out.State = automation.CallClaimed
	d, err := x.inputDecision(ctx, c)
	if err != nil {
		return out, false, err
	}
	if d.Verdict == "" {
		out.Decision = d.ID
		return out, true, nil
	}
	said, err := x.answerOf(d)
	if err != nil {
		return out, false, err
	}
	c.round.answer(c.round.Asked, said)
	c.round.Asked, c.answered = "", d
	if out, wait, err := x.tell(ctx, c); err != nil || wait {
		return out, wait, err
	}
	err = x.db.Tx(ctx, func(q *store.Queries) error {
		if c.in.Seq > 0 {
			if err := SetState(ctx, q, c.in.RunID, c.in.State, c.in.Seq, c.stamp); err != nil {
				return err
			}
		}
		return x.useAnswer(ctx, q, c)
	})
	return out, false, err
}

// tell gives the task every answer there is; wait is true if they are to be given again. They may be given twice: the
// server knows them by their keys.
func (x *Executor) tell(ctx context.Context, c *call) (out automation.CallResult, wait bool, err error) {
	out.State = automation.CallClaimed
	if err := c.source.(*server).answerTask(ctx, c.row.TaskID, c.round); err != nil {
		f := failureOf(err)
		if f.need != nil {
			return park(c, f.need), true, nil //nolint:nilerr // the failure is told by the park
		}
		x.log.InfoContext(ctx, "answer not taken", "run", c.row.RunID, "call", c.row.ID, "tool", c.tool.Label(), "reason", f.reason)
		out.Poll = x.interval(c, f.after)
		return out, true, nil
	}
	c.told = time.Now()
	return out, false, nil
}

// answerTask gives the task the answers. It is no error that the task is gone or that they are not what it wants: what
// the server makes of them, its task says.
func (s *server) answerTask(ctx context.Context, task string, r *round) error {
	ctx, cancel := context.WithTimeout(ctx, taskTimeout)
	defer cancel()
	err := s.reg.AnswerTask(ctx, s.owner, s.row, task, *r.given())
	if err == nil || errors.Is(err, mcpclient.ErrTaskGone) {
		return nil
	}
	return s.failure(err)
}
