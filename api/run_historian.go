package api

import (
	"encoding/json"
	"fmt"
	"strings"

	"steward/internal/audit"
	"steward/internal/automation"
	"steward/internal/store"
)

// fact is what the bodies of a run's audit events have in common.
type fact struct {
	Step       int    `json:"step"`
	Call       string `json:"call"`
	Decision   string `json:"decision"`
	Tool       string `json:"tool"`
	State      string `json:"state"`
	Verdict    string `json:"verdict"`
	Reason     string `json:"reason"`
	Message    string `json:"message"`
	Model      string `json:"model"`
	ResolvedBy string `json:"resolved_by"`
	Waits      bool   `json:"waits"`
	IsError    bool   `json:"is_error"`
	Attempt    int32  `json:"attempt"`
}

// history reads a run's audit events as steps. It needs PostgreSQL alone, so it works while Temporal is
// down, and it holds what Temporal's own history holds only as references.
func history(events []*store.AuditEvent) ([]HistoryStep, error) {
	b := historian{open: map[string]int{}, steps: []HistoryStep{}}
	for _, e := range events {
		var f fact
		if err := json.Unmarshal([]byte(e.Body), &f); err != nil {
			return nil, fmt.Errorf("audit event %s/%d: %w", e.Chain, e.Seq, err)
		}
		b.add(e, f)
	}
	return b.steps, nil
}

type historian struct {
	steps []HistoryStep
	open  map[string]int // begun and not over: key to index in steps
}

func (h *historian) add(e *store.AuditEvent, f fact) {
	switch e.Kind {
	case audit.RunAccepted:
		h.instant(e, f, "Run accepted", "", "")
	case audit.RunState:
		h.instant(e, f, "Run is "+strings.ReplaceAll(f.State, "_", " "), "", "")
	case audit.RunFinished:
		h.instant(e, f, "Run ended", automation.ActivityFinish, f.State)
	case audit.CancelRequested:
		h.instant(e, f, "Cancel asked for by "+e.Actor, "", "")
	case audit.ToolsResolved:
		h.instant(e, f, "Tools resolved", automation.ActivityResolveTools, "done")
	case audit.ModelCalled:
		h.begin("model", e, f, "Asks the model what to do", automation.ActivityPlanStep)
	case audit.ModelAnswered:
		h.end("model", e, f, "The model answered", "done")
	case audit.ModelFailed:
		h.end("model", e, f, "The model did not answer", "failed")
	case audit.ToolPlanned:
		h.instant(e, f, "Plans "+f.Tool, automation.ActivityPlanStep, "")
	case audit.ToolRefused:
		h.instant(e, f, "Refuses "+f.Tool, automation.ActivityPlanStep, "failed")
	case audit.ToolClaimed:
		h.begin(f.Call, e, f, "Calls "+f.Tool, automation.ActivityCallTool)
	case audit.ToolSettled:
		h.end(f.Call, e, f, "Settles "+f.Tool, f.State)
	case audit.ToolReleased:
		h.end(f.Call, e, f, "Releases "+f.Tool, "not_sent")
	case audit.DecisionAsked:
		h.begin(f.Decision, e, f, "Asks a person about "+f.Tool, "")
	case audit.DecisionMade:
		h.end(f.Decision, e, f, "A person decides", f.Verdict)
	default:
		h.instant(e, f, e.Kind, "", "")
	}
}

func (h *historian) instant(e *store.AuditEvent, f fact, title, activity, outcome string) {
	h.steps = append(h.steps, HistoryStep{
		Seq: e.Seq, Step: f.Step, At: e.At, Title: title, Kind: e.Kind, Activity: activity, Attempt: f.Attempt,
		Outcome: outcome, Detail: detail(f),
	})
}

func (h *historian) begin(key string, e *store.AuditEvent, f fact, title, activity string) {
	h.instant(e, f, title, activity, "")
	h.open[key] = len(h.steps) - 1
}

// end closes what began under key. Without a beginning (a call cancelled before it was sent) it stands
// for itself.
func (h *historian) end(key string, e *store.AuditEvent, f fact, title, outcome string) {
	i, begun := h.open[key]
	if !begun {
		h.instant(e, f, title, "", outcome)
		return
	}
	delete(h.open, key)
	took := e.At.Sub(h.steps[i].At).Milliseconds()
	h.steps[i].DurationMS, h.steps[i].Outcome = &took, outcome
	if d := detail(f); d != "" {
		h.steps[i].Detail = d
	}
}

// detail is the sentence that the event carries, if any.
func detail(f fact) string {
	switch {
	case f.Reason != "":
		return f.Reason
	case f.Message != "":
		return f.Message
	case f.ResolvedBy != "":
		return "found out by " + f.ResolvedBy
	case f.Waits:
		return "waits for a person"
	default:
		return f.Model
	}
}
