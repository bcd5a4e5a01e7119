package api

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"steward/internal/auth"
	"steward/internal/fault"
	"steward/internal/run"
	"steward/internal/secret"
	"steward/internal/store"
)

// runs serves /automation/run and /automation/runs. Reads go to the store; what changes something goes
// to the run service.
type runs struct {
	db       *store.DB
	service  *run.Service
	ring     *secret.Ring
	feed     Feed
	links    links
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

func runPath(id int64) string { return fmt.Sprintf("/automation/run/%d", id) }

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
	return h.show(ctx, p, row)
}

// own reads the run that the caller names.
func (h *runs) own(ctx context.Context, id int64) (*store.AutomationRun, error) {
	p, err := principal(ctx)
	if err != nil {
		return nil, err
	}
	return h.find(ctx, p.Owner, id)
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
