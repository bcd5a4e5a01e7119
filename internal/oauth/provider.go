package oauth

import (
	"net/url"

	"steward/internal/secret"
)

// Provider is an authorization server with the APIs that its tokens open, and our registration there.
type Provider struct {
	Name         string // in URLs and tables, such as "google"
	Title        string // for people
	Issuer       string // where its OpenID configuration is found, and what it must say of itself
	ClientID     string
	ClientSecret secret.String
	APIURL       string   // base of the APIs instead of the public ones; the only place for tokens then
	Hosts        []string // where tokens may go over https; a leading dot takes subdomains in
	Identity     []string // scopes that say who it is: asked for always
	// Authorize is what an authorization request says beyond RFC 6749: ask names what it is for.
	Authorize func(ask Ask) url.Values
}

// Ask is what one authorization request is about.
type Ask struct {
	Renew  bool   // the person must consent anew, or no refresh token would come
	StepUp bool   // there is a grant already, or may be: it is to be kept
	Hint   string // the account's mail address, when it is known
}
