package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"steward/internal/auth"
	"steward/internal/fault"
	"steward/internal/oauth"
)

type disconnectServerInput struct {
	Caller
	ServerNamed
}

type disconnectedServerBody struct {
	Success bool `json:"success" doc:"Always true: the tokens are forgotten here." example:"true"`
	Revoked bool `json:"revoked" doc:"Whether the authorization server has confirmed that they are of no use any more. If not, remove the access in your account there." example:"true"`
}

type disconnectServerOutput struct{ Body disconnectedServerBody }

func (h *serverConsent) registerDisconnect(api huma.API) {
	handle(api, endpoint{
		Operation: huma.Operation{
			OperationID: "disconnectServer", Method: http.MethodPost, Path: "/mcp/servers/{name}/disconnect", Tags: []string{"servers"},
			Summary: "Forget one's tokens for an MCP server",
			Description: "Has the authorization server revoke the user's tokens (RFC 7009) and forgets them. Runs that need the server wait for a new consent. The " +
				"server stays registered.",
			Errors: []int{http.StatusNotFound},
		},
		access:  access{scope: auth.Connections},
		answers: disconnectedServerBody{Success: true, Revoked: true},
	}, h.disconnect)
}

func (h *serverConsent) disconnect(ctx context.Context, in *disconnectServerInput) (*disconnectServerOutput, error) {
	p, err := principal(ctx)
	if err != nil {
		return nil, err
	}
	s, err := h.find(ctx, p.Owner, in.Name)
	if err != nil {
		return nil, err
	}
	err = h.consent.Disconnect(ctx, p.Owner, oauth.Server(s.ID), p.Actor)
	unconfirmed := fault.CodeOf(err) == oauth.CodeRevocationFailed
	if err != nil && !unconfirmed {
		return nil, err
	}
	if unconfirmed {
		h.log.InfoContext(ctx, "revocation not confirmed", "server", s.ID, "error", err)
	}
	return &disconnectServerOutput{Body: disconnectedServerBody{Success: true, Revoked: !unconfirmed}}, nil
}
