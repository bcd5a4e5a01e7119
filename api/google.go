package api

import (
	"github.com/danielgtaylor/huma/v2"

	"steward/internal/auth"
	"steward/internal/oauth"
)

// google is the browser's way to Google and back: to sign in, or to give a user's runs access to an account.
type google struct {
	consent *oauth.Service
	links   links
	tokens  *auth.Tokens
	cookies flowCookies
}

const (
	googleName   = "google" // as an oauth.Provider
	googlePrefix = "/auth/google/"
)

func (h *google) register(api huma.API) {
	h.registerLogin(api)
	h.registerCallback(api)
}
