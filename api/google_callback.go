package api

import (
	"context"
	"encoding/json"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"steward/internal/auth"
	"steward/internal/oauth"
)

// Callback is an authorization response (RFC 6749 §4.1.2). Google says more in it than we read.
type Callback struct {
	State  string `query:"state" doc:"As the flow began with it; works once." example:"q1w2e3"`
	Code   string `query:"code" doc:"What the tokens are exchanged for." example:"4/0AX4XfWh"`
	Issuer string `query:"iss" doc:"Who answers (RFC 9207)." example:"https://accounts.google.com"`
	Error  string `query:"error" doc:"Why there is no code." example:"access_denied"`

	cookies []*http.Cookie
}

// Resolve takes the cookies, whose names depend on the state. It implements huma.Resolver.
func (in *Callback) Resolve(ctx huma.Context) []error {
	in.cookies = huma.ReadCookies(ctx)
	return nil
}

type tokenBody struct {
	AccessToken string `json:"access_token" doc:"A token of ours, for Authorization: Bearer." example:"eyJhbGciOiJFZERTQSJ9.e30.c2ln"`
	TokenType   string `json:"token_type" enum:"bearer" doc:"How to send it." example:"bearer"`
	ExpiresIn   int    `json:"expires_in" doc:"Seconds until it expires." example:"900"`
}

type callbackOutput struct {
	Cookie string `header:"Set-Cookie" doc:"Drops the flow's cookie."`
	Body   func(huma.Context)
}

func (h *google) registerCallback(api huma.API) {
	token := api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[tokenBody](), true, "")
	handle(api, endpoint{
		Operation: huma.Operation{
			OperationID: "finishGoogleLogin", Method: http.MethodGet, Path: googlePrefix + "callback", Tags: []string{"identity"},
			Summary: "Come back from Google",
			Description: "Google sends the browser here. It must be the browser that began, within 10 minutes, once: everything else gets 400 with code " +
				"`state_invalid`. Whoever signed in gets a token of ours. Whoever connected an account is sent to the `redirect_url` of the connect call, with " +
				"`status=success&appName=gmail` added; `status=partial` says that less was granted than asked for, `status=error` that nothing was connected. Google's tokens are sealed and never leave the " +
				"service. At most 5 a minute and address.",
			Errors: []int{http.StatusBadGateway},
			Responses: map[string]*huma.Response{
				"200": {Description: "Signed in.", Content: map[string]*huma.MediaType{"application/json": {
					Schema: token, Example: exampleToken(),
				}}},
				"302": {Description: "Connected, or not.", Headers: map[string]*huma.Param{"Location": textHeader("The redirect_url, with status and appName.")}},
			},
			SkipValidateParams: true, // whatever else a response says must be ignored (RFC 6749 §4.1.2)
		},
		access: access{open: true, signIn: true},
	}, h.callback)
}

func (h *google) callback(ctx context.Context, in *Callback) (*callbackOutput, error) {
	done, err := h.consent.Finish(ctx, oauth.Callback{
		Provider: googleName, State: in.State, Code: in.Code, Issuer: in.Issuer, Error: in.Error, Browser: h.cookies.read(in.cookies, in.State),
	})
	if err != nil {
		return h.cookies.failed(ctx, in.State, done, err)
	}
	answer := h.signedIn
	if done.Purpose == oauth.Connect {
		answer = goesOn
	}
	body, err := answer(done)
	return &callbackOutput{Cookie: h.cookies.clear(in.State), Body: body}, err
}

// signedIn answers with a token of ours. The provider's own never leave the service.
func (h *google) signedIn(done oauth.Finished) (func(huma.Context), error) {
	token, err := h.tokens.Issue(auth.Grant{Subject: done.Owner, Role: auth.User})
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(tokenBody{AccessToken: token.Reveal(), TokenType: "bearer", ExpiresIn: int(auth.DefaultTTL.Seconds())})
	return func(c huma.Context) {
		c.SetHeader("Content-Type", "application/json")
		_, _ = c.BodyWriter().Write(append(body, '\n')) // fails only if the caller has gone
	}, err
}
