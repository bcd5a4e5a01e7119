package workflows

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"steward/internal/automation"
)

// nap says how a run sleeps for one kind of thing: how long before it looks again by itself, doubling up to a
// most, and with which code it ends when nothing comes until its questions expire.
type nap struct {
	first, most time.Duration
	code        string
	what        string // for people
}

// naps are the waits of a run. A person's consent or review wakes it; looking again is for a wake that was lost.
var naps = map[automation.State]nap{
	automation.WaitingForAuth:     {time.Hour, time.Hour, "auth_expired", "a person's consent"},
	automation.WaitingForApproval: {time.Hour, time.Hour, "review_expired", "a person's review of a tool"},
	automation.WaitingForBudget:   {time.Minute, time.Hour, "budget_expired", "budget"},
	automation.WaitingForModel:    {30 * time.Second, 10 * time.Minute, "model_unavailable", "the model"},
}

// byPerson says that nothing but a person ends the wait.
func byPerson(s automation.State) bool {
	return s == automation.WaitingForAuth || s == automation.WaitingForApproval
}

// handleWakes takes the Signal "wake". One that comes for something else, or too late, is dropped.
func (r *run) handleWakes(ctx workflow.Context) {
	r.parking = workflow.NewMutex(ctx)
	signals := workflow.GetSignalChannel(ctx, automation.SignalWake)
	workflow.Go(ctx, func(ctx workflow.Context) {
		for {
			var w automation.Wake
			if !signals.Receive(ctx, &w) {
				return
			}
			if r.parked != "" && (w.State == r.parked || w.State == "") {
				r.woken++
			}
		}
	})
}

// park sleeps until what is missing may be there. The sleep holds no process and no connection, and does not count
// against the run's wall time; a cancel ends it. p is how long the caller has been at it.
//
// Calls that park side by side sleep one after the other, and what wakes the first lets all of them try again.
func (r *run) park(ctx workflow.Context, park automation.Park, p *automation.Parked) error {
	n, known := naps[park.State]
	if !known {
		return temporal.NewNonRetryableApplicationError("a run cannot wait for "+string(park.State), "internal", nil)
	}
	r.pause(ctx)
	defer r.resume(ctx)
	if p.Since.IsZero() {
		p.Since = workflow.Now(ctx)
	}
	before := r.woken
	if err := r.parking.Lock(ctx); err != nil {
		return err
	}
	defer r.parking.Unlock()
	if r.woken != before {
		return nil
	}
	wait := max(park.Retry, min(n.first<<min(p.Times, 16), n.most))
	p.Times++
	left := r.expiry - workflow.Now(ctx).Sub(p.Since)
	if left <= 0 {
		return temporal.NewNonRetryableApplicationError(fmt.Sprintf("the run waited for %s too long: %s", n.what, park.Waiting.Reason), n.code, nil)
	}
	park.Waiting.Since = p.Since
	if !byPerson(park.State) {
		park.Waiting.RetryAt = workflow.Now(ctx).Add(min(wait, left))
	}
	return r.sleep(ctx, park, min(wait, left))
}

// sleep shows the park and waits it out.
func (r *run) sleep(ctx workflow.Context, park automation.Park, most time.Duration) error {
	before := r.woken
	r.parked = park.State
	defer func() { r.parked = "" }()
	var out automation.ParkResult
	in := automation.ParkInput{RunID: r.in.RunID, Seq: r.nextSeq(), Park: park}
	showing := with(ctx, automation.ActivityParkRun, "sleep: "+string(park.State))
	if err := workflow.ExecuteActivity(showing, act.ParkRun, in).Get(ctx, &out); err != nil {
		return err
	}
	if !out.Ready {
		workflow.SetCurrentDetails(ctx, "waiting for "+naps[park.State].what+": "+park.Waiting.Reason)
		_, err := workflow.AwaitWithTimeout(ctx, most, func() bool { return r.woken != before })
		workflow.SetCurrentDetails(ctx, "")
		if err != nil {
			return err
		}
	}
	if r.woken == before { // what lets one try again lets all
		r.woken++
	}
	return nil
}
