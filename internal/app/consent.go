package app

import (
	"log/slog"
	"net/http"

	"steward/internal/config"
	"steward/internal/egress"
	"steward/internal/fault"
	"steward/internal/oauth"
	"steward/internal/secret"
	"steward/internal/store"
)

// newConsent makes the service of users' grants. A provider without a client id is not there, and every attempt to
// connect it says so.
func newConsent(cfg *config.Config, db *store.DB, ring *secret.Ring, exits *egress.Exits, log *slog.Logger) (*oauth.Service, error) {
	var providers []oauth.Provider
	if cfg.Google.ClientID != "" {
		providers = append(providers, oauth.Google(cfg.Google))
	}
	if cfg.Slack.SlackID != "" {
		providers = append(providers, oauth.Slack(cfg.Slack))
	}
	return oauth.New(db, ring, log, oauth.Options{
		Providers: providers, PublicURL: cfg.HTTP.PublicURL, Origins: cfg.HTTP.Origins, LinkKey: cfg.Auth.Pepper,
		Logins: cfg.Google.Logins, Transport: providerTransport(), Remote: exits,
	})
}

// newExits makes the users' ways out.
func newExits(cfg config.Egress) (*egress.Exits, error) {
	rules, err := egress.Parse(cfg.Allow)
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "settings: STEWARD_EGRESS_ALLOW: %s", err).WithCode("invalid_settings")
	}
	return egress.New(rules), nil
}

// providerTransport has no overall limit: calls of APIs carry their own. The operator names the addresses, so
// a proxy of the environment is used.
func providerTransport() *http.Transport {
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 16, MaxResponseHeaderBytes: 64 << 10,
	}
}
