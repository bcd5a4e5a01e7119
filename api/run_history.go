package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"steward/internal/auth"
	"steward/internal/store"
)

// HistoryStep is one thing that happened in a run, in words. What has a beginning and an end (a model's
// turn, a call, a question) is one step with a duration.
type HistoryStep struct {
	Seq        int64     `json:"seq" doc:"Number of the audit event that began it." example:"7"`
	Step       int       `json:"step" doc:"The round of planning and acting it belongs to; 0 for none." example:"2"`
	At         time.Time `json:"at" doc:"When it began." example:"2026-11-20T09:30:02Z"`
	Title      string    `json:"title" doc:"What happened." example:"Calls mailbox/send_email"`
	Kind       string    `json:"kind" doc:"Kind of the audit event that began it." example:"tool.claimed"`
	Activity   string    `json:"activity,omitempty" doc:"The Temporal activity that did it." example:"CallTool"`
	Attempt    int32     `json:"attempt,omitempty" doc:"That activity's attempt." example:"1"`
	DurationMS *int64    `json:"duration_ms" doc:"How long it took; null for what is instant or not over." example:"412"`
	Outcome    string    `json:"outcome,omitempty" doc:"How it ended; absent while it has not." example:"done"`
	Detail     string    `json:"detail,omitempty" doc:"More, for a person."`
}

type historyBody struct {
	RunID    int64           `json:"run_id" doc:"The run's number." example:"1"`
	Steps    []*HistoryStep  `json:"steps" doc:"In the order in which they began."`
	Temporal temporalHistory `json:"temporal" doc:"Where Temporal keeps its own history of the run."`
}

type temporalHistory struct {
	WorkflowID string `json:"workflow_id" doc:"The run's workflow." example:"run/019aa4f0-8a5c-7d5e-b0a6-3f5d0f3c1a77"`
	UI         string `json:"ui,omitempty" doc:"That workflow in the Temporal Web UI." example:"http://127.0.0.1:8233/namespaces/default/workflows/run%2F019aa4f0-8a5c-7d5e-b0a6-3f5d0f3c1a77"`
}

type historyOutput struct{ Body historyBody }

func (h *runs) registerHistory(api huma.API) {
	handle(api, endpoint{
		Operation: huma.Operation{
			OperationID: "getRunHistory", Method: http.MethodGet, Path: "/automation/run/{id}/history", Tags: []string{"runs"},
			Summary: "Read a run's history",
			Description: "What happened, step by step, for people: read from the audit log, decoded, without secrets, also while Temporal is down. " +
				"The raw events are at `/automation/run/{id}/events`.",
			Errors: []int{http.StatusNotFound},
		},
		access: access{scope: auth.RunsRead}, answers: exampleHistory(),
	}, h.history)
}

func (h *runs) history(ctx context.Context, in *runInput) (*historyOutput, error) {
	row, err := h.own(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	body, err := h.told(ctx, row)
	if err != nil {
		return nil, err
	}
	return &historyOutput{Body: *body}, nil
}

// told is a run's history in words.
func (h *runs) told(ctx context.Context, row *store.AutomationRun) (*historyBody, error) {
	events, err := h.allEvents(ctx, row.ID)
	if err != nil {
		return nil, err
	}
	steps, err := history(events)
	if err != nil {
		return nil, err
	}
	return &historyBody{
		RunID: row.ID, Steps: steps,
		Temporal: temporalHistory{WorkflowID: row.WorkflowID, UI: h.temporal.workflow(row.WorkflowID)},
	}, nil
}

func (h *runs) allEvents(ctx context.Context, id int64) ([]*store.AuditEvent, error) {
	var all []*store.AuditEvent
	for after := int64(0); ; after = all[len(all)-1].Seq {
		page, err := h.eventsAfter(ctx, id, after)
		if err != nil {
			return nil, err
		}
		if all = append(all, page...); len(page) < eventPage {
			return all, nil
		}
	}
}
