package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"steward/internal/fault"
	"steward/internal/oauth"
)

type serverLoginInput struct {
	Link string `query:"link" required:"true" minLength:"1" maxLength:"8192" doc:"A one-time link of POST /mcp/servers/{name}/connect or of a run that waits: it says for whom which server is connected." example:"eyJpZCI6IjEifQ.c2lnbmF0dXJl"`
}

type serverLoginOutput struct {
	Location string `header:"Location" doc:"The consent page of the server's authorization server." example:"https://auth.example.com/authorize?client_id=steward"`
	Cookie   string `header:"Set-Cookie" doc:"Binds the flow to this browser: HttpOnly, SameSite=Lax, 10 minutes." example:"steward_flow_9f86d081884c7d65=q1w2e3; Path=/auth/mcp; Max-Age=600; HttpOnly; SameSite=Lax"`
}

func (h *serverConsent) registerLogin(api huma.API) {
	handle(api, endpoint{
		Operation: huma.Operation{
			OperationID: "beginServerConsent", Method: http.MethodGet, Path: "/auth/mcp/login", Tags: []string{"servers"},
			Summary: "Go to the consent page of an MCP server",
			Description: "For a browser: goes on to the authorization server, which leads back to `/auth/mcp/callback` or a place below it. The request has PKCE (S256), the server as its " +
				"`resource`, and a state that works once, for 10 minutes, in this browser.",
			DefaultStatus: http.StatusFound,
			Errors:        []int{http.StatusNotFound, http.StatusConflict, http.StatusBadGateway},
		},
		access: access{open: true, signIn: true},
	}, h.login)
}

func (h *serverConsent) login(ctx context.Context, in *serverLoginInput) (*serverLoginOutput, error) {
	begin, err := h.consent.OpenLink(ctx, in.Link)
	if err != nil {
		return nil, err
	}
	if !oauth.IsServer(begin.Provider) {
		return nil, fault.New(fault.Forbidden, "this link is for something else").WithCode(oauth.CodeLinkInvalid)
	}
	location, cookie, err := h.cookies.begin(ctx, h.consent, begin)
	if err != nil {
		return nil, err
	}
	return &serverLoginOutput{Location: location, Cookie: cookie}, nil
}
