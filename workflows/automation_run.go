// Package workflows holds the deterministic part of Steward: what happens in which order. It imports
// automation and activities alone; everything large or private stays in PostgreSQL.
package workflows

import (
	"errors"
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"steward/activities"
	"steward/internal/automation"
)

// act gives the compiler the activities' names; it is never called through.
var act *activities.Run

// AutomationRun drives one run: resolve the tools, then plan and act until a final answer, a limit, or a
// person ends it.
func AutomationRun(ctx workflow.Context, in automation.RunInput) (automation.RunResult, error) {
	r := &run{
		in: in, carry: in.Carry, began: workflow.Now(ctx), verdicts: map[string]automation.Verdict{}, open: map[string]question{},
		finding: map[int64]bool{},
	}
	if err := r.handleDecisions(ctx); err != nil {
		return automation.RunResult{}, err
	}
	r.handleWakes(ctx)
	state, err := r.drive(ctx)
	if workflow.IsContinueAsNewError(err) {
		return automation.RunResult{}, err
	}
	if err != nil {
		state, err = r.fail(ctx, err)
	}
	r.closing = true
	if err == nil {
		err = workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) })
		if temporal.IsCanceledError(err) { // the cancel was obeyed: the run is closed
			err = nil
		}
	}
	return automation.RunResult{State: state}, err
}

// run is the state of one workflow execution.
type run struct {
	in     automation.RunInput
	carry  automation.Carry
	limits automation.Limits
	expiry time.Duration

	began   time.Time     // of this execution
	waited  time.Duration // for a person, in this execution
	waiting int           // calls that wait for a person now
	since   time.Time     // when the first of them began to

	parking workflow.Mutex   // one park at a time
	parked  automation.State // what the run sleeps for, empty while it is awake
	woken   int              // how often it was woken or tried again

	verdicts map[string]automation.Verdict // by decision id, as they came
	open     map[string]question           // by decision id
	finding  map[int64]bool                // servers whose session is being opened, by the first call of the run to them
	closing  bool
}

func (r *run) drive(ctx workflow.Context) (automation.State, error) {
	if r.carry.Resolved == nil {
		if err := r.resolve(ctx); err != nil {
			return "", err
		}
	}
	r.limits, r.expiry = r.carry.Resolved.Limits, r.carry.Resolved.Expiry
	if r.carry.Resolved.Cancelled {
		return r.finish(ctx, automation.Cancelled, "cancelled", "the run was cancelled before it began")
	}
	for {
		if code, message := r.overLimit(ctx); code != "" {
			return r.finish(ctx, automation.BudgetExceeded, code, message)
		}
		plan, err := r.plan(ctx)
		if err != nil {
			return "", err
		}
		switch plan.Final.State {
		case "":
		case automation.BudgetExceeded: // the request was not sent; nothing has closed the run yet
			return r.finish(ctx, plan.Final.State, plan.Final.Code, plan.Final.Message)
		default:
			return plan.Final.State, nil
		}
		if err := r.perform(ctx, plan.Calls); err != nil {
			return "", err
		}
		r.carry.Step++
		if workflow.GetInfo(ctx).GetContinueAsNewSuggested() {
			return "", r.continueAsNew(ctx)
		}
	}
}

// resolve asks for the run's tools until they are there: a server may need a person first.
func (r *run) resolve(ctx workflow.Context) error {
	for {
		var out automation.ResolveResult
		listing := with(ctx, automation.ActivityResolveTools, "list the tools of the run's MCP servers")
		err := workflow.ExecuteActivity(listing, act.ResolveTools, automation.ResolveInput{RunID: r.in.RunID, Seq: r.nextSeq()}).Get(ctx, &out)
		if err != nil {
			return err
		}
		if out.Park == nil {
			r.carry.Resolved, r.carry.Parked = &out, automation.Parked{}
			return nil
		}
		r.expiry = out.Expiry
		if err := r.park(ctx, *out.Park, &r.carry.Parked); err != nil {
			return err
		}
	}
}

// plan asks for the next turn until there is one: now, or in the background, or after what was missing has come.
func (r *run) plan(ctx workflow.Context) (automation.PlanResult, error) {
	for {
		out, err := r.ask(ctx)
		if err != nil || out.Park == nil {
			r.carry.Tokens += out.Tokens
			r.carry.Parked = automation.Parked{}
			return out, err
		}
		if err := r.park(ctx, *out.Park, &r.carry.Parked); err != nil {
			return out, err
		}
		if workflow.GetInfo(ctx).GetContinueAsNewSuggested() { // a model that is away for weeks
			return out, r.continueAsNew(ctx)
		}
	}
}

// ask has the model asked.
func (r *run) ask(ctx workflow.Context) (automation.PlanResult, error) {
	in := automation.PlanInput{RunID: r.in.RunID, Step: r.carry.Step + 1, Seq: r.nextSeq(), Tokens: r.carry.Tokens}
	var out automation.PlanResult
	planning := with(ctx, automation.ActivityPlanStep, fmt.Sprintf("step %d: ask the model", in.Step))
	err := workflow.ExecuteActivity(planning, act.PlanStep, in).Get(ctx, &out)
	return out, err
}

// nextSeq numbers a state write. An activity may use its number and the one after it.
func (r *run) nextSeq() int64 {
	r.carry.Seq += 2
	return r.carry.Seq
}

func (r *run) continueAsNew(ctx workflow.Context) error {
	if err := workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) }); err != nil {
		return err
	}
	r.carry.Active = r.active(ctx)
	return workflow.NewContinueAsNewError(ctx, automation.WorkflowRun, automation.RunInput{RunID: r.in.RunID, Carry: r.carry})
}

func (r *run) finish(ctx workflow.Context, state automation.State, code, message string) (automation.State, error) {
	in := automation.FinishInput{RunID: r.in.RunID, Seq: r.nextSeq(), State: state, Code: code, Message: message, Step: r.carry.Step}
	ctx = with(ctx, automation.ActivityFinish, "finish: "+string(state))
	return state, workflow.ExecuteActivity(ctx, act.Finish, in).Get(ctx, nil)
}

// fail closes a run after an error. It works on a context of its own: a cancelled run must still be closed.
func (r *run) fail(ctx workflow.Context, err error) (automation.State, error) {
	ctx, _ = workflow.NewDisconnectedContext(ctx)
	if temporal.IsCanceledError(err) {
		return r.finish(ctx, automation.Cancelled, "cancelled", "the run was cancelled")
	}
	state, code, message := automation.Failed, "internal", "the run failed"
	if e, ok := errors.AsType[*temporal.ApplicationError](err); ok {
		code, message = e.Type(), e.Message()
		if code == budgetExceeded {
			state = automation.BudgetExceeded
		}
	} else if _, ok := errors.AsType[*temporal.TimeoutError](err); ok {
		code, message = "timeout", "a step of the run did not finish in time"
	}
	return r.finish(ctx, state, code, message)
}
