package api

import (
	"context"
	"encoding/json"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"steward/internal/fault"
	"steward/internal/oauth"
)

// serverCallbackInput is an answer at the place of one authorization server.
type serverCallbackInput struct {
	Callback

	Place string `path:"place" doc:"Of the authorization server that was asked." example:"9f86d081884c7d65"`
}

func (h *serverConsent) registerCallback(api huma.API) {
	answer := api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[ServerConnection](), true, "")
	operation := func(id, path, whose string) endpoint {
		return endpoint{
			Operation: huma.Operation{
				OperationID: id, Method: http.MethodGet, Path: path, Tags: []string{"servers"},
				Summary: "Come back from the consent page of an MCP server",
				Description: "The authorization server sends the browser here. " + whose + " It must be the browser that began, within 10 minutes, once: everything " +
					"else gets 400 with code `state_invalid`. An answer of another issuer than was asked gets 403 with code `issuer_mismatch`, and its code goes " +
					"nowhere (RFC 9207, RFC 9700). After the exchange the server is asked to initialize and for its tools before the answer says connected. With a " +
					"`redirect_url` of the connect call the browser goes there, with `status` success, partial or error and `appName` added.",
				Errors: []int{http.StatusNotFound, http.StatusConflict, http.StatusBadGateway},
				Responses: map[string]*huma.Response{
					"200": {Description: "Connected.", Content: map[string]*huma.MediaType{"application/json": {
						Schema: answer, Example: ServerConnection{Success: true, Status: statusConnected, ToolCount: of(13), UserID: "user_123"},
					}}},
					"302": {Description: "Connected, or not.", Headers: map[string]*huma.Param{"Location": textHeader("The redirect_url, with status and appName.")}},
				},
				SkipValidateParams: true, // whatever else a response says must be ignored (RFC 6749 §4.1.2)
			},
			access: access{open: true, signIn: true},
		}
	}
	handle(api, operation("finishServerConsent", "/auth/mcp/callback",
		"This is the redirect URI of clients that a person has registered, and of our client ID metadata document."),
		func(ctx context.Context, in *Callback) (*callbackOutput, error) { return h.callback(ctx, in, "") })
	handle(api, operation("finishServerConsentAt", "/auth/mcp/callback/{place}",
		"Each authorization server at which this service has registered itself has a redirect URI of its own."),
		func(ctx context.Context, in *serverCallbackInput) (*callbackOutput, error) {
			return h.callback(ctx, &in.Callback, in.Place)
		})
}

func (h *serverConsent) callback(ctx context.Context, in *Callback, place string) (*callbackOutput, error) {
	done, err := h.consent.Finish(ctx, oauth.Callback{
		Provider: "mcp", Place: place, State: in.State, Code: in.Code, Issuer: in.Issuer, Error: in.Error, Browser: h.cookies.read(in.cookies, in.State),
	})
	if err != nil {
		return h.cookies.failed(ctx, in.State, done, err)
	}
	count, err := h.verify(ctx, done)
	out := &callbackOutput{Cookie: h.cookies.clear(in.State)}
	switch {
	case done.Redirect != "":
		out.Body, err = h.goOn(ctx, done, err)
	case err == nil:
		out.Body, err = connectedPage(done.Owner, count)
	}
	return out, err
}

// verify asks the server with the new token.
func (h *serverConsent) verify(ctx context.Context, done oauth.Finished) (int, error) {
	id, _ := oauth.ServerOf(done.Credential.Provider)
	s, err := h.servers.Server(ctx, done.Owner, id)
	switch {
	case err != nil:
		return 0, err
	case s == nil:
		return 0, fault.New(fault.NotFound, "the MCP server is gone")
	}
	own := *s
	own.AuthProvider = done.Credential.Provider // also where this process has not heard of it yet
	count, err := h.servers.Calibrate(ctx, done.Owner, &own)
	if err != nil {
		return 0, unreached(s, err)
	}
	return count, nil
}

// goOn sends the browser to where the connect call said.
func (h *serverConsent) goOn(ctx context.Context, done oauth.Finished, failed error) (func(huma.Context), error) {
	if failed != nil {
		h.log.WarnContext(ctx, "server does not answer after consent", "provider", done.Credential.Provider, "error", failed)
		return goesTo(done, "error")
	}
	return goesOn(done)
}

// connectedPage names the user too: whoever followed somebody else's link sees it.
func connectedPage(owner string, count int) (func(huma.Context), error) {
	body, err := json.Marshal(ServerConnection{Success: true, Status: statusConnected, ToolCount: &count, UserID: owner})
	return func(c huma.Context) {
		c.SetHeader("Content-Type", "application/json")
		_, _ = c.BodyWriter().Write(append(body, '\n')) // fails only if the caller has gone
	}, err
}
