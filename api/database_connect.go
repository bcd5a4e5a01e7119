package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"steward/internal/auth"
)

type connectDatabaseInput struct {
	Caller

	IdempotencyKey string `header:"Idempotency-Key" maxLength:"257" doc:"Any visible ASCII, at most 255 bytes. For 24 hours the same key with the same body returns the same database; with another body it is refused." example:"9f1c2d3e-database"`
	Body           filledForm
}

type connectedDatabaseBody struct {
	ID     string `json:"db_id" doc:"The database: its tools' names end with it, and runs name it among their connections." example:"db_abc123"`
	Name   string `json:"name" doc:"The user's name for it." example:"My Analytics DB"`
	Status string `json:"status" enum:"connected" doc:"It has let us in." example:"connected"`
}

type connectDatabaseOutput struct {
	Replayed string `header:"Idempotency-Replayed" doc:"true when the key was known and the database was connected before." example:"true"`
	Body     connectedDatabaseBody
}

func (h *databases) registerConnect(api huma.API) {
	handle(api, endpoint{
		Operation: huma.Operation{
			OperationID: "connectDatabase", Method: http.MethodPost, Path: "/api/databases/connect", Tags: []string{"databases"},
			Summary: "Connect a database",
			Description: "Tries it as `POST /api/databases/test` does, seals everything that was filled in, and offers its tools: `DB_QUERY_<db_id>` and more. A " +
				"test that fails is 502 with code `connection_failed`, and nothing is saved. Queries only read unless the form's `allow_writes` is ticked.",
			DefaultStatus: http.StatusCreated,
			Errors:        []int{http.StatusConflict, http.StatusBadGateway},
		},
		access:  access{scope: auth.Connections, creates: true, form: true},
		asks:    exampleForm(map[string]any{"user_id": "user_123", "name": "My Analytics DB", "ssl": true}),
		answers: connectedDatabaseBody{ID: exampleDatabase, Name: "My Analytics DB", Status: connectedStatus},
	}, h.connect)
}

func (h *databases) connect(ctx context.Context, in *connectDatabaseInput) (*connectDatabaseOutput, error) {
	filled, err := h.filled(ctx, &in.Body)
	if err != nil {
		return nil, err
	}
	if filled.Key, err = idempotencyKey(in.IdempotencyKey); err != nil {
		return nil, err
	}
	made, before, err := h.connections.Connect(ctx, filled, in.Body.Name)
	if err != nil {
		return nil, err
	}
	out := &connectDatabaseOutput{Replayed: replayed(before), Body: connectedDatabaseBody{ID: made.ID, Name: made.Name, Status: connectedStatus}}
	return out, nil
}
