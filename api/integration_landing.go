package api

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/danielgtaylor/huma/v2"
)

const landingPath = "/api/integrations/callback"

type landingInput struct {
	Status  string `query:"status" required:"true" enum:"success,partial,error" doc:"What became of it." example:"success"`
	AppName string `query:"appName" required:"true" minLength:"1" maxLength:"64" doc:"The integration." example:"gmail"`
}

type landingBody struct {
	Status  string `json:"status" enum:"success,partial,error" doc:"success; partial: less was granted than asked for; error: consent was given, but the server does not answer." example:"success"`
	AppName string `json:"appName" doc:"The integration." example:"gmail"`
	Message string `json:"message" doc:"For the person at the browser." example:"Gmail is connected. You may close this page."`
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
		answers: landingBody{Status: "success", AppName: "gmail", Message: "Gmail is connected. You may close this page."},
	}, h.land)
}

func (h *integrations) land(_ context.Context, in *landingInput) (*landingOutput, error) {
	title := "The account" // a run may have asked for something that is no integration
	if k, ok := h.connections.Find(in.AppName); ok {
		title = k.Title
	}
	message := title + " is connected. You may close this page."
	switch in.Status {
	case "error":
		message = title + " was granted, but does not answer yet. You may close this page and try again later."
	case "partial":
		message = title + " is connected, but not everything was granted: what needs the rest will ask again. You may close this page."
	}
	return &landingOutput{Body: landingBody{Status: in.Status, AppName: in.AppName, Message: message}}, nil
}

// landing is where a browser goes after consent: what the connect call named, which was checked then, with seed
// 002's parameters added.
func landing(redirect, status, app string) (string, error) {
	if redirect == "" {
		redirect = landingPath
	}
	target, err := url.Parse(redirect)
	if err != nil {
		return "", fmt.Errorf("parse redirect: %w", err)
	}
	query := target.Query()
	query.Set("status", status)
	query.Set("appName", app)
	target.RawQuery = query.Encode()
	return target.String(), nil
}
