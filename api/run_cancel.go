package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"steward/internal/auth"
)

func (h *runs) registerCancel(api huma.API) {
	handle(api, endpoint{
		Operation: huma.Operation{
			OperationID: "cancelRun", Method: http.MethodPost, Path: "/automation/run/{id}/cancel", Tags: []string{"runs"},
			Summary: "Cancel a run",
			Description: "Calls on their way are cancelled too; what was not sent is never sent. `cancellation.effects` says of every call that could " +
				"change something whether it did: done, not_done, or unknown while nobody can tell. Cancelling twice is the same as once.",
			Errors: []int{http.StatusNotFound, http.StatusConflict},
		},
		access: access{scope: auth.RunsExecute}, answers: exampleCancelled(),
	}, h.cancel)
}

func (h *runs) cancel(ctx context.Context, in *runInput) (*runOutput, error) {
	p, err := principal(ctx)
	if err != nil {
		return nil, err
	}
	row, err := h.service.Cancel(ctx, p, in.ID)
	if err != nil {
		return nil, err
	}
	return h.show(ctx, p, row)
}
