package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"steward/internal/auth"
	"steward/internal/automation"
	"steward/internal/connector"
)

// Connected is an integration as a user has connected it. It says nothing of the tokens behind it.
type Connected struct {
	Provider string          `json:"provider" doc:"The integration." example:"gmail"`
	UserID   string          `json:"user_id" doc:"Who has connected it." example:"user_123"`
	Status   string          `json:"status" enum:"active,needs_reconnect" doc:"needs_reconnect: the user must consent again." example:"active"`
	Reason   string          `json:"reason,omitempty" doc:"Why." example:"Google says that access was withdrawn"`
	Email    string          `json:"connected_email" doc:"The account." example:"user@gmail.com"`
	Scopes   []string        `json:"scopes" doc:"What was granted, which may be less than was asked for."`
	Missing  []string        `json:"missing_scopes" doc:"What POST /api/integrations/connect would ask for again: tools need it, and it was not granted. Some tools ask by themselves when they are first used."`
	Tools    []ConnectedTool `json:"tools" doc:"The integration's tools."`
}

// ConnectedTool is a tool of an integration, for a user who has connected it.
type ConnectedTool struct {
	IntegrationTool

	Granted bool `json:"granted" doc:"Whether the grant covers it. A call of one that is not granted is answered with where to consent." example:"true"`
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
			Scopes:  []string{"openid", "email", "https://www.googleapis.com/auth/gmail.readonly"},
			Missing: []string{"https://www.googleapis.com/auth/gmail.compose"},
			Tools: []ConnectedTool{
				{IntegrationTool{Name: "GMAIL_SEARCH_EMAILS", Title: "Search mails", Class: automation.Read}, true},
				{IntegrationTool{Name: "GMAIL_SEND_EMAIL", Title: "Send a mail", Class: automation.Effect}, false},
			},
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
		if c.Credential == nil { // a database
			continue
		}
		out.Body.Integrations = append(out.Body.Integrations, connected(c))
	}
	return out, nil
}

func connected(c connector.Connection) Connected {
	shown := Connected{
		Provider: c.Connector.Name, UserID: c.Credential.Owner, Status: activeStatus, Email: c.Credential.Account, Scopes: c.Credential.Scopes,
	}
	var lacking []connector.Tool
	for _, t := range c.Tools() {
		granted := c.Granted(t)
		if !granted {
			lacking = append(lacking, t)
		}
		shown.Tools = append(shown.Tools, ConnectedTool{IntegrationTool{Name: t.Name, Title: t.Title, Class: t.Class}, granted})
	}
	shown.Missing = wanted(lacking)
	if !c.Credential.Active {
		shown.Status, shown.Reason = reconnectStatus, c.Credential.Reason
	}
	return shown
}
