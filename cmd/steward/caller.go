package main

import (
	"os"
	"time"

	"github.com/spf13/cobra"

	"steward/internal/app"
	"steward/internal/app/client"
	"steward/internal/auth"
	"steward/internal/secret"
)

// caller is whom a command calls and as whom.
type caller struct{ url, user string }

func (c *caller) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&c.url, "url", "", "address of the API; default STEWARD_PUBLIC_URL, or the running steward dev")
	cmd.Flags().StringVar(&c.user, "user", "demo", "as whom, with a token of our own keys; STEWARD_TOKEN is used instead if it is set")
}

// client calls as a user. It signs a token with our own keys, good for as long as one may follow a run,
// unless STEWARD_TOKEN has one.
func (c *caller) client() (*client.Client, error) {
	token := secret.New(os.Getenv("STEWARD_TOKEN"))
	required := []string{"STEWARD_SIGNING_KEY"}
	if !token.IsZero() {
		required = nil
	}
	cfg, err := settings(required...)
	if err != nil {
		return nil, err
	}
	base := c.url
	if base == "" {
		base = cfg.HTTP.PublicURL
	}
	if token.IsZero() {
		tokens, err := app.Tokens(cfg)
		if err != nil {
			return nil, err
		}
		if token, err = tokens.Issue(auth.Grant{Subject: c.user, Role: auth.User, TTL: followTime}); err != nil {
			return nil, err
		}
	}
	return client.New(base, token), nil
}

const followTime = 8 * time.Hour
