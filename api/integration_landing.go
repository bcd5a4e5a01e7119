package api

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"path"

	"github.com/danielgtaylor/huma/v2"

	"steward/internal/oauth"
)

const landingPath = "/api/integrations/callback"

type landingInput struct {
	Status  string `query:"status" required:"true" enum:"success,partial,error" doc:"What became of it." example:"success"`
	AppName string `query:"appName" required:"true" minLength:"1" maxLength:"64" doc:"The integration." example:"gmail"`
	UserID  string `query:"user_id" maxLength:"255" doc:"For whom it was connected." example:"user_123"`
}

type landingBody struct {
	Status  string `json:"status" enum:"success,partial,error" doc:"success; partial: less was granted than asked for; error: nothing was connected, or what was connected does not answer." example:"success"`
	AppName string `json:"appName" doc:"The integration." example:"gmail"`
	Message string `json:"message" doc:"For the person at the browser: it names the user for whom the account was connected, so that nobody connects one for somebody else unawares." example:"Gmail is connected for the user \"user_123\". You may close this page."`
}

type landingOutput struct{ Body landingBody }

func (h *integrations) registerLanding(api huma.API) {
	handle(api, endpoint{
		Operation: huma.Operation{
			OperationID: "landAfterConsent", Method: http.MethodGet, Path: landingPath, Tags: []string{"integrations"},
			Summary:     "Where a browser ends up after consent",
			Description: "For connect calls without `redirect_url`. It changes nothing and proves nothing: `GET /api/integrations/connected` says what is connected.",
			Errors:      []int{http.StatusBadRequest},
		},
		access:  access{open: true},
		answers: landingBody{Status: "success", AppName: "gmail", Message: `Gmail is connected for the user "user_123". You may close this page.`},
	}, h.land)
}

func (h *integrations) land(_ context.Context, in *landingInput) (*landingOutput, error) {
	title := "The account" // a run may have asked for something that is no integration
	if k, ok := h.connections.Find(in.AppName); ok {
		title = k.Title
	}
	connected := title + " is connected"
	if in.UserID != "" { // quoted: a name may hold anything
		connected = fmt.Sprintf("%s for the user %q", connected, in.UserID)
	}
	message := connected + ". You may close this page."
	switch in.Status {
	case "error":
		message = title + " was not connected, or does not answer yet. You may close this page and try again later."
	case "partial":
		message = connected + ", but not everything was granted: what needs the rest will ask again. You may close this page."
	}
	return &landingOutput{Body: landingBody{Status: in.Status, AppName: in.AppName, Message: message}}, nil
}

// landing is where a browser goes after consent: what the connect call named, which was checked then, with seed
// 002's parameters added. Our own page is also told for whom the account is: whoever followed somebody else's link sees it.
func landing(done oauth.Finished, status string) (string, error) {
	redirect := done.Redirect
	if redirect == "" {
		redirect = landingPath
	}
	target, err := url.Parse(redirect)
	if err != nil {
		return "", fmt.Errorf("parse redirect: %w", err)
	}
	query := target.Query()
	query.Set("status", status)
	query.Set("appName", done.Connector)
	if path.Clean(target.Path) == landingPath {
		query.Set("user_id", done.Owner)
	}
	target.RawQuery = query.Encode()
	return target.String(), nil
}
