package oauth

import (
	"net/url"

	"steward/internal/config"
)

// Google is our registration with Google, or with an emulator of it. Every host below googleapis.com is
// Google's own.
func Google(c config.Google) Provider {
	return Provider{
		Name: "google", Title: "Google", Issuer: c.Discovery, ClientID: c.ClientID, ClientSecret: c.ClientSecret,
		APIURL: c.APIURL, Hosts: []string{".googleapis.com"}, Authorize: askGoogle,
		Identity: []string{"openid", "https://www.googleapis.com/auth/userinfo.email"}, // as Google reports them
	}
}

// askGoogle: a refresh token comes with access_type=offline alone, and after the first consent only with a
// prompt; a step-up keeps what was granted before.
func askGoogle(ask Ask) url.Values {
	v := url.Values{"access_type": {"offline"}}
	if ask.Renew {
		v.Set("prompt", "consent")
	}
	if ask.StepUp {
		v.Set("include_granted_scopes", "true")
	}
	if ask.Hint != "" {
		v.Set("login_hint", ask.Hint)
	}
	return v
}
