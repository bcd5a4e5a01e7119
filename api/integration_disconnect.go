package api

import (
	"context"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"steward/internal/auth"
	"steward/internal/connector"
	"steward/internal/fault"
)

type disconnectBody struct {
	UserID   string `json:"user_id,omitempty" maxLength:"255" doc:"For callers with an API key: whose." example:"user_123"`
	Username string `json:"username,omitempty" maxLength:"255" doc:"The same as user_id." example:"user_123"`
	Provider string `json:"provider" minLength:"1" maxLength:"64" doc:"What to disconnect, as GET /api/integrations names it." example:"gmail"`
}

type disconnectInput struct {
	Caller

	Body disconnectBody
}

type disconnectedBody struct {
	Success      bool     `json:"success" doc:"Always true." example:"true"`
	Disconnected []string `json:"disconnected" doc:"Every integration that is connected no more: those of the same consent share a grant." example:"[\"gmail\"]"`
}

type disconnectOutput struct{ Body disconnectedBody }

func (h *integrations) registerDisconnect(api huma.API) {
	handle(api, endpoint{
		Operation: huma.Operation{
			OperationID: "disconnectIntegration", Method: http.MethodPost, Path: "/api/integrations/disconnect", Tags: []string{"integrations"},
			Summary: "Disconnect an account",
			Description: "Forgets the tokens and has the provider revoke them, which ends every integration of the same `consent`. 502 with code " +
				"`revocation_failed`: they are forgotten here, but the provider did not confirm; remove the access in the account's own settings. Runs that need the " +
				"account wait for a new consent.",
			Errors: []int{http.StatusBadGateway},
		},
		access:  access{scope: auth.Connections},
		asks:    disconnectBody{UserID: "user_123", Provider: "gmail"},
		answers: disconnectedBody{Success: true, Disconnected: []string{"gmail"}},
	}, h.disconnect)
}

func (h *integrations) disconnect(ctx context.Context, in *disconnectInput) (*disconnectOutput, error) {
	p, err := principalNamed(ctx, in.Body.UserID, in.Body.Username)
	if err != nil {
		return nil, err
	}
	kind, err := h.kind(in.Body.Provider)
	if err != nil {
		return nil, err
	}
	found, err := h.connections.Of(ctx, p.Owner)
	if err != nil {
		return nil, err
	}
	// What is not connected ends nothing, though others share its consent.
	if !slices.ContainsFunc(found, func(c connector.Connection) bool { return c.Connector.Name == kind.Name }) {
		return nil, fault.InvalidField("body.provider", "is not connected")
	}
	out := &disconnectOutput{Body: disconnectedBody{Success: true, Disconnected: []string{}}}
	for _, c := range found {
		if c.Connector.Provider == kind.Provider {
			out.Body.Disconnected = append(out.Body.Disconnected, c.Connector.Name)
		}
	}
	return out, h.consent.Disconnect(ctx, p.Owner, kind.Provider, p.Actor)
}
