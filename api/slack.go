package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"steward/internal/fault"
	"steward/internal/oauth"
)

// slack is the browser's way to Slack and back, to give a user's runs access to a workspace. Nobody signs in with it.
type slack struct {
	consent *oauth.Service
	cookies flowCookies
}

const (
	slackName   = "slack" // as an oauth.Provider
	slackPrefix = "/auth/slack/"
)

func (h *slack) register(api huma.API) {
	h.registerLogin(api)
	h.registerCallback(api)
}

type slackLoginInput struct {
	Link string `query:"link" required:"true" minLength:"1" maxLength:"8192" doc:"A one-time link of POST /api/integrations/connect or of a run that waits: it says for whom the workspace is connected." example:"eyJpZCI6IjEifQ.c2lnbmF0dXJl"`
}

type slackLoginOutput struct {
	Location string `header:"Location" doc:"Slack's consent page." example:"https://slack.com/oauth/v2/authorize?client_id=1.2"`
	Cookie   string `header:"Set-Cookie" doc:"Binds the flow to this browser: HttpOnly, SameSite=Lax, 10 minutes." example:"steward_flow_9f86d081884c7d65=q1w2e3; Path=/auth/slack; Max-Age=600; HttpOnly; SameSite=Lax"`
}

func (h *slack) registerLogin(api huma.API) {
	handle(api, endpoint{
		Operation: huma.Operation{
			OperationID: "beginSlackConsent", Method: http.MethodGet, Path: slackPrefix + "login", Tags: []string{"integrations"},
			Summary: "Go to Slack's consent page",
			Description: "For a browser: goes on to Slack, which leads back to `/auth/slack/callback`. The workspace is connected for the user for whom the " +
				"link was made, as the person who consents. 503 with code `provider_not_configured` means that the operator has set no SLACK_CLIENT_ID. " +
				"At most 5 a minute and address.",
			DefaultStatus: http.StatusFound,
			Errors:        []int{http.StatusBadGateway},
		},
		access: access{open: true, signIn: true},
	}, h.login)
}

func (h *slack) login(ctx context.Context, in *slackLoginInput) (*slackLoginOutput, error) {
	begin, err := h.consent.OpenLink(ctx, in.Link)
	if err != nil {
		return nil, err
	}
	if begin.Provider != slackName {
		return nil, fault.New(fault.Forbidden, "this link is for something else").WithCode(oauth.CodeLinkInvalid)
	}
	location, cookie, err := h.cookies.begin(ctx, h.consent, begin)
	if err != nil {
		return nil, err
	}
	return &slackLoginOutput{Location: location, Cookie: cookie}, nil
}

func (h *slack) registerCallback(api huma.API) {
	handle(api, endpoint{
		Operation: huma.Operation{
			OperationID: "finishSlackConsent", Method: http.MethodGet, Path: slackPrefix + "callback", Tags: []string{"integrations"},
			Summary: "Come back from Slack",
			Description: "Slack sends the browser here. It must be the browser that began, within 10 minutes, once: everything else gets 400 with code " +
				"`state_invalid`. Then the browser goes to the `redirect_url` of the connect call, with `status=success&appName=slack` added; " +
				"`status=partial` says that less was granted than asked for, `status=error` that nothing was connected. Slack's tokens are sealed and never leave the service. At most 5 a minute and address.",
			Errors: []int{http.StatusBadGateway},
			Responses: map[string]*huma.Response{
				"302": {Description: "Connected, or not.", Headers: map[string]*huma.Param{"Location": textHeader("The redirect_url, with status and appName.")}},
			},
			DefaultStatus:      http.StatusFound,
			SkipValidateParams: true, // whatever else a response says must be ignored (RFC 6749 §4.1.2)
		},
		access: access{open: true, signIn: true},
	}, h.callback)
}

func (h *slack) callback(ctx context.Context, in *Callback) (*callbackOutput, error) {
	done, err := h.consent.Finish(ctx, oauth.Callback{
		Provider: slackName, State: in.State, Code: in.Code, Issuer: in.Issuer, Error: in.Error, Browser: h.cookies.read(in.cookies, in.State),
	})
	if err != nil {
		return h.cookies.failed(ctx, in.State, done, err)
	}
	body, err := goesOn(done)
	return &callbackOutput{Cookie: h.cookies.clear(in.State), Body: body}, err
}
