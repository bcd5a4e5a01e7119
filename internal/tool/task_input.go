package tool

import (
	"context"
	"fmt"

	"steward/internal/automation"
	"steward/internal/fault"
	"steward/internal/mcpclient"
	"steward/internal/store"
)

// taskNeeds asks a person what a task needs; waits is false if nothing new is asked.
func (x *Executor) taskNeeds(ctx context.Context, c *call, n *mcpclient.Needs) (out automation.CallResult, waits bool, err error) {
	r := &round{Number: c.round.number(), Answers: map[string]mcpclient.Answer{}}
	if c.round != nil { // what was answered stays so: a task never uses a key twice
		r.Answers = c.round.Answers
	}
	r.Questions = n.Questions
	if _, more := r.next(); !more {
		return out, false, nil // the server has not taken the answers yet
	}
	r.Number++
	in, ask := r.toAsk()
	c.round = r
	if !ask || r.Number > mostRounds {
		return out, false, x.refuseTask(ctx, c)
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
func (x *Executor) refuseTask(ctx context.Context, c *call) error {
	for key, more := c.round.next(); more; key, more = c.round.next() {
		c.round.answer(key, unanswered)
	}
	c.round.Asked = ""
	err := c.source.(*server).answerTask(ctx, c.row.TaskID, c.round)
	if f := failureOf(err); err != nil && f.told == "" {
		return fault.Wrap(f.err, fault.Upstream, "%s did not take the answer: %s", c.tool.ServerName, f.reason).WithRetryAfter(f.after)
	}
	return nil
}

// tellTask takes a person's answer to the task; wait is true while there is none. Answers may be given twice: the
// server knows them by their keys.
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
	if err := c.source.(*server).answerTask(ctx, c.row.TaskID, c.round); err != nil {
		switch f := failureOf(err); {
		case f.need != nil:
			return park(c, f.need), true, nil //nolint:nilerr // the failure is told by the park
		case f.told == "": // it may have been taken, and may be given again
			out.Poll = x.interval(c, f.after)
			return out, true, nil
		} // what the server makes of it, its task says
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

// answerTask gives the task every answer there is.
func (s *server) answerTask(ctx context.Context, task string, r *round) error {
	ctx, cancel := context.WithTimeout(ctx, taskTimeout)
	defer cancel()
	if err := s.reg.AnswerTask(ctx, s.owner, s.row, task, *r.given()); err != nil {
		return s.failure(err)
	}
	return nil
}
