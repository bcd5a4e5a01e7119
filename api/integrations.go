package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"steward/internal/auth"
	"steward/internal/automation"
	"steward/internal/connector"
	"steward/internal/oauth"
)

// integrations serves /api/integrations: what users connect by consent at a provider. What seed 002 calls a
// provider, such as gmail, is a connector here; its provider is whose consent it needs.
type integrations struct {
	consent     *oauth.Service
	connections *connector.Connections
	links       links
}

func (h *integrations) register(api huma.API) {
	h.registerList(api)
	h.registerConnect(api)
	h.registerConnected(api)
	h.registerDisconnect(api)
	h.registerLanding(api)
}

// Integration is something that users can connect.
type Integration struct {
	Provider    string            `json:"provider" doc:"Its name in the other calls." example:"gmail"`
	Title       string            `json:"title" doc:"Its name for people." example:"Gmail"`
	Description string            `json:"description" doc:"What it is good for." example:"Search, read and send mail."`
	Consent     string            `json:"consent" doc:"Who asks the user for consent; integrations with the same one share a grant." example:"google"`
	Configured  bool              `json:"configured" doc:"Whether the operator has registered this service there. Otherwise connecting gets 503 with code provider_not_configured." example:"true"`
	Tools       []IntegrationTool `json:"tools" doc:"What runs can do with it."`
}

// IntegrationTool is a tool of an integration.
type IntegrationTool struct {
	Name  string           `json:"name" doc:"The tool." example:"GMAIL_SEND_EMAIL"`
	Title string           `json:"title" doc:"Its name for people." example:"Send a mail"`
	Class automation.Class `json:"class" enum:"read,idempotent,effect" doc:"How often a call may be sent: read freely, idempotent with the same key, effect once." example:"effect"`
}

type integrationsInput struct {
	Caller
}

type integrationsBody struct {
	Integrations []Integration `json:"integrations" doc:"Everything that can be connected."`
	NextCursor   *string       `json:"next_cursor" doc:"Always null: the list is whole."`
}

type integrationsOutput struct{ Body integrationsBody }

func (h *integrations) registerList(api huma.API) {
	handle(api, endpoint{
		Operation: huma.Operation{
			OperationID: "listIntegrations", Method: http.MethodGet, Path: "/api/integrations", Tags: []string{"integrations"},
			Summary:     "List what can be connected",
			Description: "The same for every user; `GET /api/integrations/connected` says what one has connected. Databases are at `/api/databases`.",
		},
		access: access{scope: auth.Connections},
		answers: integrationsBody{Integrations: []Integration{{
			Provider: "gmail", Title: "Gmail", Description: "Search, read and send mail.", Consent: "google", Configured: true,
			Tools: []IntegrationTool{{Name: "GMAIL_SEND_EMAIL", Title: "Send a mail", Class: automation.Effect}},
		}}},
	}, h.list)
}

func (h *integrations) list(context.Context, *integrationsInput) (*integrationsOutput, error) {
	out := &integrationsOutput{Body: integrationsBody{Integrations: []Integration{}}}
	for _, k := range h.connections.Kinds() {
		if k.Form != nil {
			continue
		}
		shown := Integration{
			Provider: k.Name, Title: k.Title, Description: k.Description, Consent: k.Provider, Configured: h.consent.Configured(k.Provider),
			Tools: []IntegrationTool{},
		}
		for _, t := range k.Tools {
			shown.Tools = append(shown.Tools, IntegrationTool{Name: t.Name, Title: t.Title, Class: t.Class})
		}
		out.Body.Integrations = append(out.Body.Integrations, shown)
	}
	return out, nil
}
