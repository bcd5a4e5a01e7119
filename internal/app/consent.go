package app

import (
	"log/slog"
	"net/http"
	"net/netip"
	"strings"

	"steward/internal/config"
	"steward/internal/egress"
	"steward/internal/fault"
	"steward/internal/oauth"
	"steward/internal/secret"
	"steward/internal/store"
)

// newConsent makes the service of users' grants. Without a client id there is no Google, and every attempt to
// connect it says so.
func newConsent(cfg *config.Config, db *store.DB, ring *secret.Ring, log *slog.Logger) (*oauth.Service, error) {
	var providers []oauth.Provider
	if cfg.Google.ClientID != "" {
		providers = append(providers, oauth.Google(cfg.Google))
	}
	allow, err := allowed(cfg)
	if err != nil {
		return nil, err
	}
	return oauth.New(db, ring, log, oauth.Options{
		Providers: providers, PublicURL: cfg.HTTP.PublicURL, Origins: cfg.HTTP.Origins, LinkKey: cfg.Auth.Pepper,
		Logins: cfg.Google.Logins, Transport: providerTransport(), Remote: egress.NewClient(allow),
	})
}

// allowed are the private addresses that users and remote servers may name.
func allowed(cfg *config.Config) ([]netip.Prefix, error) {
	prefixes, err := egress.Parse(strings.Join(cfg.Egress.Allow, ","))
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "settings: STEWARD_EGRESS_ALLOW: %s", err).WithCode("invalid_settings")
	}
	return prefixes, nil
}

// providerTransport has no overall limit: calls of APIs carry their own. The operator names the addresses, so
// a proxy of the environment is used.
func providerTransport() *http.Transport {
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 16, MaxResponseHeaderBytes: 64 << 10,
	}
}
