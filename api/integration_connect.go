package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"steward/internal/auth"
	"steward/internal/connector"
	"steward/internal/fault"
)

type connectBody struct {
	UserID      string `json:"user_id,omitempty" maxLength:"255" doc:"For callers with an API key: for whom." example:"user_123"`
	Username    string `json:"username,omitempty" maxLength:"255" doc:"The same as user_id." example:"user_123"`
	Provider    string `json:"provider" minLength:"1" maxLength:"64" doc:"What to connect, as GET /api/integrations names it." example:"gmail"`
	RedirectURL string `json:"redirect_url,omitempty" maxLength:"2048" doc:"Where the browser goes afterwards: of this service or of an origin that the operator has registered. Default /api/integrations/callback." example:"https://app.openanalyst.com/connectors?callback=true"`
}

type connectInput struct {
	Caller

	Body connectBody
}

type authURLBody struct {
	AuthURL string `json:"auth_url" format:"uri" doc:"Where to send the user's browser: works once and for 15 minutes." example:"http://127.0.0.1:8000/auth/google/login?link=eyJpZCI6IjEifQ.c2lnbmF0dXJl"`
}

type connectOutput struct{ Body authURLBody }

func (h *integrations) registerConnect(api huma.API) {
	handle(api, endpoint{
		Operation: huma.Operation{
			OperationID: "connectIntegration", Method: http.MethodPost, Path: "/api/integrations/connect", Tags: []string{"integrations"},
			Summary: "Connect an account",
			Description: "Send the user's browser to `auth_url`. It is a link of ours that leads to the provider's consent page and binds the flow to that " +
				"browser; whoever opens it connects an account of theirs for `user_id`, so give it to that user alone. Only what the integration's tools " +
				"need is asked for, beside what the user has granted already.",
		},
		access:  access{scope: auth.Connections, creates: true},
		asks:    connectBody{UserID: "user_123", Provider: "gmail", RedirectURL: "https://app.openanalyst.com/connectors?callback=true"},
		answers: authURLBody{AuthURL: "http://127.0.0.1:8000/auth/google/login?link=eyJpZCI6IjEifQ.c2lnbmF0dXJl"},
	}, h.connect)
}

func (h *integrations) connect(ctx context.Context, in *connectInput) (*connectOutput, error) {
	p, err := principalNamed(ctx, in.Body.UserID, in.Body.Username)
	if err != nil {
		return nil, err
	}
	kind, err := h.kind(in.Body.Provider)
	if err != nil {
		return nil, err
	}
	link, err := h.links.connect(p.Owner, kind, in.Body.RedirectURL)
	if err != nil {
		return nil, err
	}
	return &connectOutput{Body: authURLBody{AuthURL: link}}, nil
}

// kind finds what a body names.
func (h *integrations) kind(name string) (*connector.Connector, error) {
	if k, ok := h.connections.Find(name); ok && k.Form == nil {
		return k, nil
	}
	return nil, fault.InvalidField("body.provider", "no such integration: GET /api/integrations lists them")
}
