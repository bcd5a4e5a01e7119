package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"steward/internal/auth"
	"steward/internal/connector"
	"steward/internal/tool"
)

type tryDatabaseInput struct {
	Caller

	Body filledForm
}

type tryDatabaseBody struct {
	Success bool   `json:"success" doc:"Whether the database lets us in." example:"true"`
	Message string `json:"message,omitempty" doc:"For a person, when it does." example:"Connection successful"`
	Error   string `json:"error,omitempty" doc:"Why it does not." example:"password authentication failed"`
}

type tryDatabaseOutput struct{ Body tryDatabaseBody }

func (h *databases) registerTry(api huma.API) {
	handle(api, endpoint{
		Operation: huma.Operation{
			OperationID: "testDatabase", Method: http.MethodPost, Path: "/api/databases/test", Tags: []string{"databases"},
			Summary: "Try whether a database can be connected",
			Description: "Signs in within 5 seconds and keeps nothing. A database that is not there, that does not let us in, or that lets us do too much (an " +
				"administrator's account) is 200 with `success: false`; what is filled in wrongly is 422 at its field. Private addresses get 422 with code " +
				"`egress_denied` unless the operator allows them.",
		},
		access:  access{scope: auth.Connections, creates: true, form: true}, // what dials for a user is counted as strictly
		asks:    exampleForm(nil),
		answers: tryDatabaseBody{Success: true, Message: "Connection successful"},
	}, h.try)
}

func (h *databases) try(ctx context.Context, in *tryDatabaseInput) (*tryDatabaseOutput, error) {
	filled, err := h.filled(ctx, &in.Body)
	if err != nil {
		return nil, err
	}
	err = h.connections.Test(ctx, filled)
	if refusal, ok := errors.AsType[*connector.Error](err); ok {
		return &tryDatabaseOutput{Body: tryDatabaseBody{Error: tool.Clean(refusal.Reason, maxReason)}}, nil
	}
	if err != nil {
		return nil, err
	}
	return &tryDatabaseOutput{Body: tryDatabaseBody{Success: true, Message: "Connection successful"}}, nil
}

// maxReason bounds what a database says of its refusal, in bytes.
const maxReason = 1000

// filled is a body as the form of its type.
func (h *databases) filled(ctx context.Context, b *filledForm) (connector.Filled, error) {
	p, err := principalNamed(ctx, b.UserID)
	if err != nil {
		return connector.Filled{}, err
	}
	k, err := h.kind(b.Type, "body.db_type")
	if err != nil {
		return connector.Filled{}, err
	}
	if err := b.named(); err != nil {
		return connector.Filled{}, err
	}
	return connector.Filled{Owner: p.Owner, Actor: p.Actor, Kind: k, Values: b.Values, NameAt: b.NameAt}, nil
}
