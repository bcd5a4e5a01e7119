package api

import (
	"encoding/json"
	"fmt"
	"strings"

	"steward/internal/audit"
	"steward/internal/automation"
	"steward/internal/store"
)

// history reads a run's audit events as steps. It needs PostgreSQL alone, so it works while Temporal is
// down, and it holds what Temporal's own history holds only as references.
func history(events []*store.AuditEvent) ([]*HistoryStep, error) {
	h := historian{open: map[opening]*HistoryStep{}, steps: []*HistoryStep{}}
	for _, e := range events {
		var f fact
		if err := json.Unmarshal([]byte(e.Body), &f); err != nil {
			return nil, fmt.Errorf("audit event %s/%d: %w", e.Chain, e.Seq, err)
		}
		h.add(e, f)
	}
	return h.steps, nil
}

type historian struct {
	steps []*HistoryStep
	open  map[opening]*HistoryStep // begun and not over
	state string                   // the run's, as last told
}

// opening is what can be open at once: one turn of the model; of each call one sending and one question.
type opening struct{ kind, call string }

func (h *historian) add(e *store.AuditEvent, f fact) {
	switch e.Kind {
	case audit.RunAccepted:
		h.tell(e, f, "Run accepted", "from "+e.Actor)
	case audit.RunState:
		if f.State != h.state { // every activity writes it, changed or not
			h.tell(e, f, "Run is "+strings.ReplaceAll(f.State, "_", " "), "")
		}
		h.state = f.State
	case audit.CancelRequested:
		h.tell(e, f, e.Actor+" asks to cancel the run", "")
	case audit.RunFinished:
		h.lapse(e)
		h.tell(e, f, "Run ended", f.Reason).Outcome = f.State
	case audit.ToolsResolved:
		h.act(e, f, automation.ActivityResolveTools, "Resolves tools", f.offer()).Outcome = "done"
	case audit.ModelCalled:
		h.begin(h.act(e, f, automation.ActivityPlanStep, "Asks the model what to do", f.Model), e, f)
	case audit.ModelAnswered:
		h.end(audit.ModelCalled, e, f, "done", f.turn())
	case audit.ModelFailed:
		h.end(audit.ModelCalled, e, f, "failed", f.Reason)
	case audit.ModelAccepted:
		h.tell(e, f, "The model works on it in the background", "")
	case audit.ModelFound:
		h.tell(e, f, "Takes up the request that was made before", "")
	case audit.ModelRefused:
		h.act(e, f, automation.ActivityPlanStep, "Does not ask the model", f.Reason).Outcome = "failed"
	case audit.ModelCompacted:
		h.act(e, f, automation.ActivityPlanStep, "Shortens what the model is shown", "")
	case audit.RunParked:
		h.act(e, f, automation.ActivityParkRun, "Run sleeps", f.Reason)
	case audit.HostedOffered:
		h.act(e, f, automation.ActivityPlanStep, "Lets the model's provider call tools", "")
	case audit.HostedListed:
		h.act(e, f, automation.ActivityPlanStep, "The provider lists the tools of "+f.Server, counted(len(f.Tools), "tool"))
	case audit.ToolReported:
		if !h.end(audit.ToolClaimed, e, f, f.State, "as the provider reports") {
			h.act(e, f, automation.ActivityPlanStep, "The provider reports a call of "+f.tool(), f.Reason).Outcome = f.State
		}
	case audit.ToolPlanned:
		h.act(e, f, automation.ActivityPlanStep, "Plans "+f.tool(), f.arguments())
	case audit.ToolRefused:
		h.act(e, f, automation.ActivityPlanStep, "Refuses "+f.tool(), f.Reason).Outcome = "failed"
	case audit.ToolClaimed:
		h.begin(h.act(e, f, automation.ActivityCallTool, f.calls(), ""), e, f)
	case audit.ToolSettled:
		h.settle(e, f)
	case audit.ToolReleased:
		if !h.end(audit.ToolClaimed, e, f, "not_sent", f.Reason) {
			h.tell(e, f, "Will call "+f.tool()+" again", f.Reason)
		}
	case audit.ToolPaused:
		if !h.end(audit.ToolClaimed, e, f, "paused", f.Reason) {
			h.end(audit.ToolPolled, e, f, "paused", f.Reason)
		}
	case audit.ToolPolled:
		if h.open[opening{e.Kind, f.Call}] == nil { // one step, however often the server is asked
			h.begin(h.act(e, f, automation.ActivityCallTool, "Asks about the task of "+f.tool(), ""), e, f)
		}
	case audit.ToolResumed:
		h.act(e, f, automation.ActivityCallTool, "Finds out what became of the call of "+f.tool(), f.Reason)
	case audit.SessionMoved:
		h.act(e, f, automation.ActivityCallTool, "Session moves to another worker", f.Reason)
	case audit.DecisionAsked:
		h.begin(h.tell(e, f, f.asks(), f.Reason), e, f)
	case audit.DecisionMade:
		h.end(audit.DecisionAsked, e, f, f.Verdict, "decided by "+e.Actor)
	default:
		h.tell(e, f, e.Kind, f.Reason)
	}
}

// settle ends a sending, or tells of a call that was not on its way. A question about it that is still
// open when it is settled was not answered in time.
func (h *historian) settle(e *store.AuditEvent, f fact) {
	if automation.CallState(f.State) != automation.CallUnknown {
		h.end(audit.DecisionAsked, e, f, "unanswered", "")
	}
	if !h.end(audit.ToolClaimed, e, f, f.State, f.outcome()) && !h.end(audit.ToolPolled, e, f, f.State, f.outcome()) {
		h.tell(e, f, f.settles(), f.outcome()).Outcome = f.State
	}
}

// tell adds what has neither a duration nor an activity.
func (h *historian) tell(e *store.AuditEvent, f fact, title, detail string) *HistoryStep {
	step := &HistoryStep{Seq: e.Seq, Step: f.Step, At: e.At, Title: title, Kind: e.Kind, Detail: detail}
	h.steps = append(h.steps, step)
	return step
}

func (h *historian) act(e *store.AuditEvent, f fact, activity, title, detail string) *HistoryStep {
	step := h.tell(e, f, title, detail)
	step.Activity, step.Attempt = activity, f.Attempt
	return step
}

// begin opens a step. One that is still open in its place lost its worker.
func (h *historian) begin(step *HistoryStep, e *store.AuditEvent, f fact) {
	h.end(step.Kind, e, f, "interrupted", "")
	h.open[opening{step.Kind, f.Call}] = step
}

// end closes the step that began as kind and adds to what it says; false if there is none.
func (h *historian) end(kind string, e *store.AuditEvent, f fact, outcome, more string) bool {
	step, begun := h.open[opening{kind, f.Call}]
	if !begun {
		return false
	}
	delete(h.open, opening{kind, f.Call})
	took := e.At.Sub(step.At).Milliseconds()
	step.DurationMS, step.Outcome = &took, outcome
	if step.Detail != "" && more != "" {
		step.Detail += "; "
	}
	step.Detail += more
	return true
}

// lapse ends what the end of the run leaves open.
func (h *historian) lapse(e *store.AuditEvent) {
	for o := range h.open {
		outcome := "interrupted"
		if o.kind == audit.DecisionAsked {
			outcome = "unanswered"
		}
		h.end(o.kind, e, fact{Call: o.call}, outcome, "")
	}
}
