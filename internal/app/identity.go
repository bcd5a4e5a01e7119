package app

import (
	"log/slog"
	"strings"

	"steward/internal/auth"
	"steward/internal/config"
	"steward/internal/secret"
	"steward/internal/store"
)

// Tokens issues and verifies the access tokens of a deployment.
func Tokens(cfg *config.Config) (*auth.Tokens, error) { return tokensFor(cfg, cfg.Auth.Audience) }

// Tickets issues and verifies what lets a browser into /codec. They are tokens of another audience, so
// that neither is good for the other's purpose.
func Tickets(cfg *config.Config) (*auth.Tokens, error) {
	return tokensFor(cfg, cfg.HTTP.PublicURL+"/codec")
}

func tokensFor(cfg *config.Config, audience string) (*auth.Tokens, error) {
	o := auth.TokenOptions{Issuer: cfg.Auth.Issuer, Audience: audience}
	if cfg.Auth.Algorithm == config.HS256 {
		o.SharedKey = cfg.Auth.SharedKey
	} else {
		o.SigningKey, o.VerifyKeys = cfg.Auth.SigningKey, cfg.Auth.VerifyKeys
	}
	return auth.NewTokens(o)
}

// authenticator judges who calls the API.
func authenticator(cfg *config.Config, tokens *auth.Tokens, db *store.DB, log *slog.Logger) (*auth.Authenticator, error) {
	keys, err := auth.NewKeys(db.Queries, cfg.Auth.Pepper, log)
	if err != nil {
		return nil, err
	}
	return auth.New(tokens, keys, db.Queries)
}

// Secrets lists what must never be printed, for the last net under every log.
func Secrets(cfg *config.Config) []secret.String {
	all := []secret.String{
		cfg.Database.URL, cfg.Database.MigrateURL, cfg.Model.APIKey, cfg.Keys.Audit,
		cfg.Auth.SigningKey, cfg.Auth.SharedKey, cfg.Auth.Pepper, cfg.Google.ClientSecret, cfg.Slack.SlackSecret,
	}
	for _, ring := range []secret.String{cfg.Keys.Secrets, cfg.Keys.Codec} {
		for _, key := range strings.Split(ring.Reveal(), ",") {
			all = append(all, secret.New(strings.TrimSpace(key)))
		}
	}
	return all
}
