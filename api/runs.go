package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"steward/internal/auth"
	"steward/internal/automation"
	"steward/internal/fault"
	"steward/internal/run"
	"steward/internal/secret"
	"steward/internal/store"
	"steward/internal/tool"
)

// runs serves /automation/run and /automation/runs. Reads go to the store; what changes something goes
// to the run service.
type runs struct {
	db       *store.DB
	service  *run.Service
	ring     *secret.Ring
	feed     Feed
	streams  *streams
	temporal temporalUI
	closing  <-chan struct{}
	beat     time.Duration // between heartbeats of an event stream
}

func (h *runs) register(api huma.API) {
	h.registerStart(api)
	h.registerGet(api)
	h.registerList(api)
	h.registerEvents(api)
	h.registerHistory(api)
	h.registerCancel(api)
	h.registerDecision(api)
}

// runInput names one run of the caller's.
type runInput struct {
	Caller

	ID int64 `path:"id" minimum:"1" doc:"The run's number." example:"1"`
}

type runOutput struct{ Body Run }

func (h *runs) registerGet(api huma.API) {
	handle(api, endpoint{
		Operation: huma.Operation{
			OperationID: "getRun", Method: http.MethodGet, Path: "/automation/run/{id}", Tags: []string{"runs"},
			Summary: "Read a run",
			Description: "`status` is pending until the run can no longer go on; `state` says exactly where it stands. " +
				"A call that waits for a person carries the question in `decision`. Answered from the database alone, also while Temporal is down.",
			Errors: []int{http.StatusNotFound},
		},
		access: access{scope: auth.RunsRead}, answers: exampleRun(),
	}, h.get)
}

func (h *runs) get(ctx context.Context, in *runInput) (*runOutput, error) {
	p, err := principal(ctx)
	if err != nil {
		return nil, err
	}
	row, err := h.find(ctx, p.Owner, in.ID)
	if err != nil {
		return nil, err
	}
	shown, err := h.show(ctx, row)
	if err != nil {
		return nil, err
	}
	return &runOutput{Body: *shown}, nil
}

// find reads a run of owner's. Absent and foreign are the same to the caller.
func (h *runs) find(ctx context.Context, owner string, id int64) (*store.AutomationRun, error) {
	row, err := h.db.GetRun(ctx, store.GetRunParams{ID: id, Owner: owner})
	if store.IsNoRows(err) {
		return nil, fault.New(fault.NotFound, "run not found")
	}
	if err != nil {
		return nil, fmt.Errorf("read run: %w", err)
	}
	return row, nil
}

// show reads what belongs to a run and opens what is sealed.
func (h *runs) show(ctx context.Context, row *store.AutomationRun) (*Run, error) {
	summary, sumErr := h.summary(summarized(row))
	input, inErr := h.input(row)
	output, outErr := h.output(row)
	if err := errors.Join(sumErr, inErr, outErr); err != nil {
		return nil, err
	}
	calls, err := h.db.ListCallSummaries(ctx, store.ListCallSummariesParams{RunID: row.ID, Owner: row.Owner})
	if err != nil {
		return nil, fmt.Errorf("read tool calls: %w", err)
	}
	shown := &Run{RunSummary: summary, Input: input, Output: output, ToolCalls: []ToolCall{}, Cancellation: cancellation(row, calls)}
	for _, c := range calls {
		shown.ToolCalls = append(shown.ToolCalls, toolCall(c))
	}
	if row.FinishedAt == nil && slices.ContainsFunc(calls, waits) {
		err = h.addQuestions(ctx, row, shown.ToolCalls)
	}
	return shown, err
}

// waits reports whether a call can have an open question.
func waits(c *store.ListCallSummariesRow) bool {
	s := automation.CallState(c.State)
	return s == automation.CallWaiting || s == automation.CallUnknown
}

// addQuestions puts the open questions beside their calls, with the arguments in full: who decides must
// see what would be sent.
func (h *runs) addQuestions(ctx context.Context, row *store.AutomationRun, calls []ToolCall) error {
	decisions, err := h.db.ListDecisions(ctx, store.ListDecisionsParams{RunID: row.ID, Owner: row.Owner})
	if err != nil {
		return fmt.Errorf("read decisions: %w", err)
	}
	for i := range calls {
		open := openQuestion(decisions, calls[i].ID)
		if open == nil {
			continue
		}
		call, err := h.db.GetCall(ctx, store.GetCallParams{ID: calls[i].ID, RunID: row.ID})
		if err != nil {
			return fmt.Errorf("read tool call: %w", err)
		}
		arguments, err := h.ring.Open(tool.ArgumentsBinding(row.Owner, call.ID), call.ArgumentsSealed)
		if err != nil {
			return fmt.Errorf("open arguments of call %s: %w", call.ID, err)
		}
		calls[i].Question = question(open, arguments)
	}
	return nil
}
