package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"steward/internal/auth"
	"steward/internal/fault"
)

type disconnectDatabaseBody struct {
	UserID   string `json:"user_id,omitempty" maxLength:"255" doc:"For callers with an API key: whose." example:"user_123"`
	Username string `json:"username,omitempty" maxLength:"255" doc:"The same as user_id." example:"user_123"`
	ID       string `json:"db_id" minLength:"1" maxLength:"64" doc:"The database, as GET /api/databases lists it." example:"db_abc123"`
}

type disconnectDatabaseInput struct {
	Caller

	Body disconnectDatabaseBody
}

type disconnectedDatabaseBody struct {
	Success bool   `json:"success" doc:"Always true." example:"true"`
	ID      string `json:"db_id" doc:"The database." example:"db_abc123"`
	Name    string `json:"name" doc:"The name it had." example:"My Analytics DB"`
	Status  string `json:"status" enum:"disconnected" doc:"It is forgotten, with everything that was filled in." example:"disconnected"`
}

type disconnectDatabaseOutput struct{ Body disconnectedDatabaseBody }

const disconnectedStatus = "disconnected"

func (h *databases) registerDisconnect(api huma.API) {
	handle(api, endpoint{
		Operation: huma.Operation{
			OperationID: "disconnectDatabase", Method: http.MethodPost, Path: "/api/databases/disconnect", Tags: []string{"databases"},
			Summary: "Disconnect a database",
			Description: "Forgets it and everything that was filled in, and ends our sessions there. Its tools are gone, also for runs that are under way. What " +
				"the database itself knows of our account stays: drop that there.",
		},
		access:  access{scope: auth.Connections},
		asks:    disconnectDatabaseBody{UserID: "user_123", ID: exampleDatabase},
		answers: disconnectedDatabaseBody{Success: true, ID: exampleDatabase, Name: "My Analytics DB", Status: disconnectedStatus},
	}, h.disconnect)
}

func (h *databases) disconnect(ctx context.Context, in *disconnectDatabaseInput) (*disconnectDatabaseOutput, error) {
	p, err := principalNamed(ctx, in.Body.UserID, in.Body.Username)
	if err != nil {
		return nil, err
	}
	gone, err := h.connections.Disconnect(ctx, p.Owner, p.Actor, in.Body.ID)
	if fault.Is(err, fault.NotFound) {
		return nil, fault.InvalidField("body.db_id", "no such database: GET /api/databases lists them")
	}
	if err != nil {
		return nil, err
	}
	return &disconnectDatabaseOutput{Body: disconnectedDatabaseBody{Success: true, ID: gone.ID, Name: gone.Name, Status: disconnectedStatus}}, nil
}
