package tool

import (
	"context"
	"fmt"
	"time"

	"steward/internal/audit"
	"steward/internal/automation"
	"steward/internal/fault"
	"steward/internal/mcpclient"
	"steward/internal/store"
)

// A server of 2026-07-28 may end a call with questions instead of a result. The claim is settled back to waiting, so
// that nothing is held while a person thinks, and the answers go out with the same call under a claim of its own:
// each round is one request, with the rules of the tool's class. That the rounds before had no effect is the
// server's part of the protocol: it says that the call is not complete.

// questioned takes the questions with which a server ended a round.
func (x *Executor) questioned(ctx context.Context, c *call, n *mcpclient.Needs) (automation.CallResult, error) {
	r := &round{Number: 1, State: n.State, Questions: n.Questions, Before: n.Before}
	if c.round != nil {
		r.Number = c.round.Number + 1
	}
	if r.Number > mostRounds {
		return x.settle(ctx, c, answer{state: automation.CallFailed, text: fmt.Sprintf("the server asked %d times and wants to ask again: the call was given up", mostRounds), isError: true, from: sent})
	}
	if r.toAsk(); r.unopened() { // nobody can be asked to open what the server names
		return x.settle(ctx, c, answer{state: automation.CallFailed, text: unopened, isError: true, from: sent})
	}
	out, err := insist(ctx, func(ctx context.Context) (automation.CallResult, error) { return x.pauseOnce(ctx, c, r) })
	if err != nil || out.State != automation.CallPlanned {
		return out, err
	}
	return x.claimAndSend(ctx, c) // there was nothing to ask
}

// pauseOnce ends the claim and asks the round's next question.
func (x *Executor) pauseOnce(ctx context.Context, c *call, r *round) (automation.CallResult, error) {
	out := automation.CallResult{State: automation.CallPlanned}
	in, ask := r.toAsk()
	if ask {
		out.State = automation.CallWaiting
	}
	sealed, err := x.sealRound(c.row, r)
	if err != nil {
		return out, err
	}
	err = x.db.Tx(ctx, func(q *store.Queries) error {
		n, err := q.PauseCall(ctx, store.PauseCallParams{ID: c.row.ID, RunID: c.row.RunID, Fence: c.row.Fence, State: string(out.State), RoundSealed: sealed})
		if err != nil {
			return fmt.Errorf("pause call: %w", err)
		}
		if n == 0 {
			return errLate
		}
		if ask {
			if out.Decision, err = x.askInput(ctx, q, c, in, 0); err != nil {
				return err
			}
			if err := x.showAsking(ctx, q, c, out.Decision); err != nil {
				return err
			}
		}
		return x.paused(ctx, q, c, "the server asks before it goes on")
	})
	if fault.CodeOf(err) == errLate.Code {
		return x.late(ctx, c)
	}
	if err == nil {
		c.row.State, c.row.RoundSealed, c.round = string(out.State), sealed, r
	}
	return out, err
}

// toAsk marks the next question that a person can be asked. Those that nobody can be asked are answered so.
func (r *round) toAsk() (Input, bool) {
	for {
		key, more := r.next()
		if !more {
			r.Asked = ""
			return Input{}, false
		}
		if in, can := inputOf(r.Questions[key]); can {
			r.Asked = key
			return in, true
		}
		r.answer(key, unanswered)
	}
}

// askInput opens a question of the server's.
func (x *Executor) askInput(ctx context.Context, q *store.Queries, c *call, in Input, expiry time.Duration) (string, error) {
	digest, err := in.digest(c.row)
	if err != nil {
		return "", err
	}
	return x.ask(ctx, q, question{
		runID: c.row.RunID, owner: c.row.Owner, step: int(c.row.Step), stamp: c.stamp, call: c.row.ID, tool: c.tool.Label(),
		digest: digest, pin: c.row.Pin, kind: automation.AskInput, reason: c.tool.ServerName + " asks before it goes on with the call",
		input: &in, expiry: expiry,
	})
}

// goOn carries on with a call that waits for what a person says to the server.
func (x *Executor) goOn(ctx context.Context, c *call) (automation.CallResult, error) {
	out := automation.CallResult{State: automation.CallState(c.row.State)}
	d, err := x.inputDecision(ctx, c)
	if err != nil {
		return out, err
	}
	if d.Verdict == "" { // an attempt whose answer was lost, or a branch after a Reset
		out.Decision = d.ID
		return out, x.paused(ctx, x.db.Queries, c, "the server waits for an answer")
	}
	said, err := x.answerOf(d)
	if err != nil {
		return out, err
	}
	c.round.answer(c.round.Asked, said)
	in, more := c.round.toAsk()
	c.answered = d
	if c.round.unopened() {
		return x.pageRefused(ctx, c)
	}
	if !more {
		return x.claimAndSend(ctx, c)
	}
	err = x.db.Tx(ctx, func(q *store.Queries) error {
		if err := x.useAnswer(ctx, q, c); err != nil {
			return err
		}
		if out.Decision, err = x.askInput(ctx, q, c, in, 0); err != nil {
			return err
		}
		return x.paused(ctx, q, c, "the server asks more than one thing")
	})
	if err != nil {
		return out, fmt.Errorf("ask the next question: %w", err)
	}
	return out, nil
}

// inputDecision is the latest question of the server's about this call.
func (x *Executor) inputDecision(ctx context.Context, c *call) (*store.Decision, error) {
	d, err := x.db.LatestInput(ctx, store.LatestInputParams{Call: c.row.ID, Owner: c.row.Owner})
	if err != nil {
		return nil, fmt.Errorf("read the server's question: %w", err)
	}
	return d, nil
}

// useAnswer uses the answer up and writes down what the round knows now.
func (x *Executor) useAnswer(ctx context.Context, q *store.Queries, c *call) error {
	sealed, err := x.sealRound(c.row, c.round)
	if err != nil {
		return err
	}
	used, err := q.UseDecision(ctx, c.answered.ID)
	if err != nil {
		return fmt.Errorf("use answer: %w", err)
	}
	if used == 0 && automation.Verdict(c.answered.Verdict) != automation.Expired {
		return fault.New(fault.Conflict, "another attempt has told the server").WithCode(claimLost)
	}
	n, err := q.PutRound(ctx, store.PutRoundParams{ID: c.row.ID, RunID: c.row.RunID, Fence: c.row.Fence, RoundSealed: sealed})
	if err != nil {
		return fmt.Errorf("keep answers: %w", err)
	}
	if n == 0 {
		return errLate
	}
	c.row.RoundSealed = sealed
	return nil
}

// paused records that the attempt ends without an outcome.
func (x *Executor) paused(ctx context.Context, q *store.Queries, c *call, why string) error {
	return x.audit(ctx, q, c.row.RunID, c.stamp, audit.ToolPaused, fmt.Sprintf("%s/%s", claimKey(c.row), c.stamp.ActivityID), pauseBody{
		Stamp: c.stamp, Call: c.row.ID, Step: int(c.row.Step), Tool: c.tool.Label(), Fence: c.row.Fence, Reason: why,
	})
}

type pauseBody struct {
	Stamp
	Call   string `json:"call"`
	Step   int    `json:"step"`
	Tool   string `json:"tool"`
	Fence  int64  `json:"fence"`
	Reason string `json:"reason"`
}
