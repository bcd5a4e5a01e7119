package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"steward/internal/auth"
	"steward/internal/fault"
	"steward/internal/oauth"
)

type loginInput struct {
	Link   string `query:"link" maxLength:"8192" doc:"A one-time link of POST /api/integrations/connect or of a run that waits: it says for whom the account is connected." example:"eyJpZCI6IjEifQ.c2lnbmF0dXJl"`
	Scope  string `query:"scope" enum:"identity,integrations" default:"integrations" doc:"What to ask for, without a link: identity is who signs in and no more." example:"integrations"`
	UserID string `query:"user_id" maxLength:"255" doc:"Counts only beside a link, and must be the user for whom that was made." example:"alice"`
}

type loginOutput struct {
	Location string `header:"Location" doc:"Google's consent page." example:"https://accounts.google.com/o/oauth2/v2/auth?client_id=steward"`
	Cookie   string `header:"Set-Cookie" doc:"Binds the flow to this browser: HttpOnly, SameSite=Lax, 10 minutes." example:"steward_flow_9f86d081884c7d65=q1w2e3; Path=/auth/google; Max-Age=600; HttpOnly; SameSite=Lax"`
}

func (h *google) registerLogin(api huma.API) {
	handle(api, endpoint{
		Operation: huma.Operation{
			OperationID: "beginGoogleLogin", Method: http.MethodGet, Path: googlePrefix + "login", Tags: []string{"identity"},
			Summary: "Sign in with Google, or connect an account",
			Description: "For a browser: goes on to Google's consent page, which leads back to `/auth/google/callback`. Without `link` somebody signs in and " +
				"connects Gmail, of which Google's page lets everybody refuse a part; `scope=identity` asks who it is, no more. With a link of `POST /api/integrations/connect` the account is connected for the user for whom the link " +
				"was made. A `user_id` without a link signs nobody in as somebody else: 403 with code `link_required`. 503 with code " +
				"`provider_not_configured` means that the operator has set no GOOGLE_CLIENT_ID. At most 5 a minute and address.",
			DefaultStatus: http.StatusFound,
			Errors:        []int{http.StatusBadGateway},
		},
		access: access{open: true, signIn: true},
	}, h.login)
}

func (h *google) login(ctx context.Context, in *loginInput) (*loginOutput, error) {
	begin, err := h.wish(ctx, in)
	if err != nil {
		return nil, err
	}
	location, cookie, err := h.cookies.begin(ctx, h.consent, begin)
	if err != nil {
		return nil, err
	}
	return &loginOutput{Location: location, Cookie: cookie}, nil
}

// wish is what the browser has come for.
func (h *google) wish(ctx context.Context, in *loginInput) (oauth.Begin, error) {
	if in.Link == "" {
		if in.UserID != "" {
			return oauth.Begin{}, fault.New(fault.Forbidden, "a user_id alone signs nobody in: POST /api/integrations/connect makes a link for that user").
				WithCode("link_required")
		}
		begin := oauth.Begin{Purpose: oauth.Login, Provider: googleName}
		if in.Scope != "identity" {
			begin.Scopes = h.links.atSignIn()
		}
		return begin, nil
	}
	begin, err := h.consent.OpenLink(ctx, in.Link)
	if err == nil && in.UserID != "" && in.UserID != begin.Owner {
		err = fault.New(fault.Forbidden, "the link was made for another user").WithCode(auth.CodeOwnerMismatch)
	}
	return begin, err
}
