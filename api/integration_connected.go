package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"steward/internal/auth"
	"steward/internal/connector"
)

// Connected is an integration as a user has connected it. It says nothing of the tokens behind it.
type Connected struct {
	Provider string   `json:"provider" doc:"The integration." example:"gmail"`
	UserID   string   `json:"user_id" doc:"Who has connected it." example:"user_123"`
	Status   string   `json:"status" enum:"active,needs_reconnect" doc:"needs_reconnect: the user must consent again." example:"active"`
	Reason   string   `json:"reason,omitempty" doc:"Why." example:"Google says that access was withdrawn"`
	Email    string   `json:"connected_email" doc:"The account." example:"user@gmail.com"`
	Scopes   []string `json:"scopes" doc:"What was granted, which may be less than was asked for."`
}

// The words of seed 002 and of the credentials table.
const (
	activeStatus    = "active"
	reconnectStatus = "needs_reconnect"
)

type connectedBody struct {
	Integrations []Connected `json:"integrations" doc:"Everything that the user has connected."`
	NextCursor   *string     `json:"next_cursor" doc:"Always null: the list is whole."`
}

type connectedOutput struct{ Body connectedBody }

func (h *integrations) registerConnected(api huma.API) {
	handle(api, endpoint{
		Operation: huma.Operation{
			OperationID: "listConnected", Method: http.MethodGet, Path: "/api/integrations/connected", Tags: []string{"integrations"},
			Summary:     "List what one has connected",
			Description: "Integrations of which at least one tool is granted, also those whose grant has ended since.",
		},
		access: access{scope: auth.Connections},
		answers: connectedBody{Integrations: []Connected{{
			Provider: "gmail", UserID: "user_123", Status: activeStatus, Email: "user@gmail.com",
			Scopes: []string{"openid", "email", "https://www.googleapis.com/auth/gmail.readonly"},
		}}},
	}, h.connected)
}

func (h *integrations) connected(ctx context.Context, _ *integrationsInput) (*connectedOutput, error) {
	p, err := principal(ctx)
	if err != nil {
		return nil, err
	}
	found, err := h.connections.Of(ctx, p.Owner)
	if err != nil {
		return nil, err
	}
	out := &connectedOutput{Body: connectedBody{Integrations: []Connected{}}}
	for _, c := range found {
		out.Body.Integrations = append(out.Body.Integrations, connected(c))
	}
	return out, nil
}

func connected(c connector.Connection) Connected {
	shown := Connected{
		Provider: c.Connector.Name, UserID: c.Credential.Owner, Status: activeStatus, Email: c.Credential.Account, Scopes: c.Credential.Scopes,
	}
	if !c.Credential.Active {
		shown.Status, shown.Reason = reconnectStatus, c.Credential.Reason
	}
	return shown
}
