package activities

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptrace"
	"slices"
	"sync/atomic"

	"steward/internal/audit"
	"steward/internal/automation"
	"steward/internal/fault"
	"steward/internal/llm"
	"steward/internal/spending"
	"steward/internal/store"
	"steward/internal/tool"
)

// sent is a request to the model that is written down, with what is set aside for it.
type sent struct {
	call  spending.Call
	grant spending.Grant
	model string
}

// modelBody is the audited part of an exchange with the model.
type modelBody struct {
	tool.Stamp
	Step       int               `json:"step"`
	Provider   string            `json:"provider"`
	Model      string            `json:"model,omitempty"`
	ResponseID string            `json:"response_id,omitempty"`
	Status     string            `json:"status,omitempty"`
	Calls      int               `json:"calls,omitempty"`
	Reserved   *reserved         `json:"reserved,omitempty"`
	Usage      *automation.Usage `json:"usage,omitempty"`
	Code       string            `json:"code,omitempty"`
	Reason     string            `json:"reason,omitempty"`
}

type reserved struct {
	Tokens    int64 `json:"tokens"`
	MicroUSD  int64 `json:"micro_usd"`
	CostKnown bool  `json:"cost_known"`
}

// key tells the requests of a Temporal run apart.
func (a *attempt) key() string {
	return fmt.Sprintf("%d/%s/%d/%d", a.in.Step, a.stamp.ActivityID, a.stamp.Attempt, a.requests)
}

// ask sends the conversation. When the provider finds it too long, it is shortened and sent once more.
func (r *Run) ask(ctx context.Context, a *attempt) (automation.PlanResult, error) {
	t, err := r.transcript(ctx, a.in)
	if err != nil {
		return automation.PlanResult{}, err
	}
	if held, err := r.hostedUncertain(ctx, a.in, a.stamp, t); err != nil || held != nil {
		return orNothing(held), err
	}
	if t.full() && !t.compacted(a.in.Step) && !t.answers { // the provider must find its questions as it asked them
		if err := r.compact(ctx, a, t); err != nil {
			return automation.PlanResult{}, err
		}
	}
	out, err := r.send(ctx, a, t)
	if e := asModelError(err); e != nil && e.Code == llm.CodeTooLong {
		return r.askShorter(ctx, a, err)
	}
	return out, err
}

// askShorter asks once more after the provider found the conversation too long: what fits is its own to know.
func (r *Run) askShorter(ctx context.Context, a *attempt, why error) (automation.PlanResult, error) {
	t, err := r.transcript(ctx, a.in)
	if err != nil {
		return automation.PlanResult{}, err
	}
	if t.compacted(a.in.Step) {
		return automation.PlanResult{}, why
	}
	if err := r.compact(ctx, a, t); err != nil {
		return automation.PlanResult{}, err
	}
	return r.send(ctx, a, t)
}

// send makes one request: in the background where the provider can, as a stream where it cannot, so that people
// see it move, and otherwise as one answer.
func (r *Run) send(ctx context.Context, a *attempt, t *transcript) (automation.PlanResult, error) {
	req := t.request(a.in.Step)
	req.RequestID = fmt.Sprintf("run/%d/%d/%d", a.in.RunID, a.in.Step, a.stamp.Attempt)
	if t.hosted() {
		if err := r.hostedRequest(ctx, t, &req); err != nil {
			return automation.PlanResult{}, err
		}
	}
	can := r.model.Features(ctx)
	if can.InputTokens && t.near() {
		if n, err := r.model.CountTokens(ctx, req); err == nil {
			t.estimate = n
		}
	}
	s, err := r.intend(ctx, a, t)
	if err != nil {
		return automation.PlanResult{}, err
	}
	req.MaxOutputTokens = s.grant.Output
	traced, left := watchLeaving(ctx)
	if can.Background {
		var id string
		if id, _, err = r.model.Start(traced, req); err == nil {
			a.pending = id
			return automation.PlanResult{}, r.accept(ctx, a, s, id)
		}
	} else {
		var res *llm.Response
		if res, err = r.respond(traced, a, req, can.Stream); err == nil {
			return r.record(ctx, a, t, s, res)
		}
	}
	err = r.failed(ctx, a, s, err, left())
	if t.hosted() {
		again, told := r.hostedFailed(ctx, a, t, err, left())
		if again {
			return r.send(ctx, a, t)
		}
		err = told
	}
	return automation.PlanResult{}, err
}

// respond waits for the answer, which moves in front of people where it is a stream.
func (r *Run) respond(ctx context.Context, a *attempt, req llm.Request, stream bool) (*llm.Response, error) {
	a.doing.say("waiting for the answer")
	if stream {
		return r.model.Stream(ctx, req, a.doing.stream)
	}
	return r.model.Respond(ctx, req)
}

// intend writes the request down before it is sent, with what it may cost. A *spending.Refusal is recorded.
func (r *Run) intend(ctx context.Context, a *attempt, t *transcript) (sent, error) {
	a.requests++
	s := sent{model: t.run.Model, call: spending.Call{
		RunID: a.in.RunID, Step: a.step(), TemporalRunID: a.stamp.TemporalRunID, ActivityID: a.stamp.ActivityID,
		Attempt: a.stamp.Attempt, Request: a.requests,
	}}
	err := r.db.Tx(ctx, func(q *store.Queries) error {
		var err error
		s.grant, err = r.spending.Reserve(ctx, q, spending.Ask{
			Call: s.call, Owner: t.run.Owner, Provider: r.model.Provider(), Model: t.run.Model,
			Limits: t.limits, Counted: a.in.Tokens, Input: t.estimate, Output: t.mostOutput(),
		})
		if err != nil {
			return err
		}
		if err := r.setState(ctx, q, a.in.RunID, automation.Running, a.in.Seq, a.stamp); err != nil {
			return err
		}
		if t.hosting != nil {
			if err := r.hostedIntent(ctx, q, a, t); err != nil {
				return err
			}
		}
		return r.audit(ctx, q, a.in.RunID, a.stamp, audit.ModelCalled, a.key(), modelBody{
			Stamp: a.stamp, Step: a.in.Step, Provider: r.model.Provider(), Model: t.run.Model,
			Reserved: &reserved{s.grant.Tokens, s.grant.MicroUSD, s.grant.CostKnown},
		})
	})
	if why := asRefusal(err); why != nil {
		if err := r.refused(ctx, a, why.Code, why.Message); err != nil {
			return s, err
		}
	}
	return s, err
}

// failed records that a request brought no turn, and returns why. Unless the provider said so, or nothing left
// this machine, it may have been paid for: then what was set aside stays charged.
func (r *Run) failed(ctx context.Context, a *attempt, s sent, why error, left bool) error {
	about := modelBody{Stamp: a.stamp, Step: a.in.Step, Provider: r.model.Provider(), Model: s.model, Code: fault.CodeOf(why), Reason: fault.Text(why)}
	paid := left
	if e := asModelError(why); e != nil {
		about.Code, about.Reason = e.Code, e.Message
		paid = left && (e.Status == 0 || slices.Contains(unfinished, e.Code))
	} else if errors.Is(why, context.Canceled) || errors.Is(why, context.DeadlineExceeded) {
		about.Code, about.Reason = "interrupted", "the request was given up before its answer came"
	}
	err := r.keep(ctx, func(ctx context.Context, q *store.Queries) error {
		settle := r.spending.Release
		if paid {
			settle = func(ctx context.Context, q *store.Queries, c spending.Call) error {
				return r.spending.Keep(ctx, q, c, s.grant)
			}
		}
		if err := settle(ctx, q, s.call); err != nil {
			return err
		}
		if err := q.SetRunUsage(ctx, store.SetRunUsageParams{ID: a.in.RunID, Provider: r.model.Provider()}); err != nil {
			return fmt.Errorf("store usage: %w", err)
		}
		return r.audit(ctx, q, a.in.RunID, a.stamp, audit.ModelFailed, a.key(), about)
	})
	if err != nil {
		r.log.WarnContext(ctx, "failed model call not recorded", "run", a.in.RunID, "step", a.in.Step, "error", err)
	}
	return why
}

// unfinished are answers that began, and may have been paid for. Every other word of the provider's is that there
// is no answer.
var unfinished = []string{llm.CodeBadResponse, llm.CodeCut, llm.CodeGone, llm.CodeCancelled}

// watchLeaving tells afterwards whether a request has left this machine.
func watchLeaving(ctx context.Context) (traced context.Context, left func() bool) {
	var wrote atomic.Bool
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: func() { wrote.Store(true) }}), wrote.Load
}
