package workflows

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"steward/internal/automation"
)

// perform carries out the calls of one turn: read-only ones side by side, the others in order. Every call
// that needs a person has asked already, so several questions may be open at once.
func (r *run) perform(ctx workflow.Context, calls []automation.PlannedCall) error {
	for _, c := range calls {
		if c.Decision != "" {
			r.open[c.Decision] = question{call: c.ID, kind: automation.AskApproval}
		}
	}
	var (
		group = workflow.NewWaitGroup(ctx)
		first error
		keep  = func(err error) {
			if first == nil {
				first = err
			}
		}
	)
	for _, c := range calls {
		if c.Class == automation.Read && !c.Settled {
			group.Add(1)
			workflow.Go(ctx, func(ctx workflow.Context) {
				defer group.Done()
				if err := r.one(ctx, c); err != nil {
					keep(err)
				}
			})
		}
	}
	for _, c := range calls {
		if c.Class != automation.Read && !c.Settled && first == nil {
			if err := r.one(ctx, c); err != nil {
				keep(err)
			}
		}
	}
	group.Wait(ctx)
	return first
}

// one takes a call to its end: perhaps a decision before it, perhaps questions of the server's in the middle of it,
// perhaps decisions about its unknown outcome.
func (r *run) one(ctx workflow.Context, c automation.PlannedCall) error {
	in := automation.CallInput{RunID: r.in.RunID, Step: r.carry.Step + 1, ID: c.ID, Decision: c.Decision}
	if c.Decision != "" {
		v, err := r.wait(ctx, c.Decision, question{call: c.ID, kind: automation.AskApproval}, c.Tool)
		if err != nil {
			return err
		}
		in.Verdict = v
	}
	var parked automation.Parked
	for {
		out, err := r.attempt(ctx, c, in, parked.Times > 0)
		switch {
		case err != nil:
			return err
		case out.Park != nil:
			if err := r.park(ctx, *out.Park, &parked); err != nil {
				return err
			}
			continue
		case out.Poll > 0:
			if err := r.poll(ctx, c, out.Poll); err != nil {
				return err
			}
			in.Decision, in.Verdict = "", ""
			continue
		}
		q, asked := asks(c, out)
		if !asked {
			return nil
		}
		about := c.Tool + ", outcome unknown"
		if q.kind == automation.AskInput {
			about = c.Tool + ", which asks before it goes on"
		}
		v, err := r.wait(ctx, out.Decision, q, about)
		if err != nil {
			return err
		}
		in.Decision, in.Verdict = out.Decision, v
	}
}

// asks is the question that an attempt ended with, if it did.
func asks(c automation.PlannedCall, out automation.CallResult) (question, bool) {
	switch {
	case out.State == automation.CallUnknown:
		return question{call: c.ID, kind: automation.AskUnknown}, true
	case out.Decision != "" && !out.State.Settled():
		return question{call: c.ID, kind: automation.AskInput}, true
	}
	return question{}, false
}

// poll waits before the server is asked about its task again. The time counts: a task that takes longer than the run
// may is cancelled with it.
func (r *run) poll(ctx workflow.Context, c automation.PlannedCall, after time.Duration) error {
	left := time.Duration(r.limits.WallSeconds)*time.Second - r.active(ctx)
	workflow.SetCurrentDetails(ctx, "the server works on "+c.Tool)
	err := workflow.Sleep(ctx, max(min(after, left), time.Second))
	workflow.SetCurrentDetails(ctx, "")
	return err
}

// attempt sends or settles, as the verdict says. What the model's provider sends is only settled here: a yes goes
// to it with the next request. woken: the run has slept for this call, and people still see that.
func (r *run) attempt(ctx workflow.Context, c automation.PlannedCall, in automation.CallInput, woken bool) (automation.CallResult, error) {
	if c.Hosted {
		return r.settle(ctx, c, in)
	}
	switch in.Verdict {
	case "", automation.Approve, automation.Edit, automation.Retry, automation.Answer, automation.Decline:
		return r.send(ctx, c, in, woken)
	default:
		return r.settle(ctx, c, in)
	}
}

func (r *run) send(ctx workflow.Context, c automation.PlannedCall, in automation.CallInput, woken bool) (automation.CallResult, error) {
	var out automation.CallResult
	if code, message := r.overLimit(ctx); code != "" {
		return out, temporal.NewNonRetryableApplicationError(message, code, nil)
	}
	if c.Class != automation.Read || in.Verdict != "" || woken {
		in.Seq, in.State = r.nextSeq(), r.state()
	}
	actx := with(ctx, automation.ActivityCallTool, fmt.Sprintf("step %d: %s", in.Step, c.Tool))
	err := r.call(ctx, actx, c.Session, in, &out)
	if err == nil || temporal.IsCanceledError(err) || ctx.Err() != nil {
		return out, err
	}
	in.Verdict = "" // the attempts are used up: settle what the ledger knows
	return r.settle(ctx, c, in)
}

func (r *run) settle(ctx workflow.Context, c automation.PlannedCall, in automation.CallInput) (automation.CallResult, error) {
	var out automation.CallResult
	in.Seq, in.State = r.nextSeq(), r.state()
	actx := with(ctx, automation.ActivitySettleCall, fmt.Sprintf("step %d: settle %s", in.Step, c.Tool))
	err := workflow.ExecuteActivity(actx, act.SettleCall, in).Get(ctx, &out)
	return out, err
}

// state is what people should see while a call is under way: that others of the same turn still wait.
func (r *run) state() automation.State {
	if r.parked != "" {
		return r.parked
	}
	state := automation.Running
	for _, id := range workflow.DeterministicKeys(r.open) {
		if r.verdicts[id] != "" {
			continue
		}
		if r.open[id].kind != automation.AskApproval {
			return automation.WaitingForDecision
		}
		state = automation.WaitingForApproval
	}
	return state
}
