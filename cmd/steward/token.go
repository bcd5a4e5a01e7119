package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"steward/internal/app"
	"steward/internal/auth"
)

func tokenCommand() *cobra.Command {
	var user, role string
	var scopes []string
	var ttl time.Duration
	token := &cobra.Command{
		Use:   "token --user NAME",
		Short: "Print an access token, and nothing else, on standard output",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := settings("STEWARD_SIGNING_KEY")
			if err != nil {
				return err
			}
			tokens, err := app.Tokens(cfg)
			if err != nil {
				return err
			}
			text, err := tokens.Issue(auth.Grant{Subject: user, Role: auth.Role(role), Scopes: scopesOf(scopes), TTL: ttl})
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), text.Reveal())
			return err
		},
	}
	flags := token.Flags()
	flags.StringVar(&user, "user", "", "whose token it is")
	flags.StringVar(&role, "role", string(auth.User), "user, operator, admin or auditor")
	flags.StringSliceVar(&scopes, "scope", nil, "only these scopes of the role")
	flags.DurationVar(&ttl, "ttl", auth.DefaultTTL, "how long it is valid, at most "+auth.MaxTTL.String())
	requireFlags(token, "user")
	return token
}

func scopesOf(words []string) []auth.Scope {
	scopes := make([]auth.Scope, len(words))
	for i, w := range words {
		scopes[i] = auth.Scope(w)
	}
	return scopes
}

func requireFlags(cmd *cobra.Command, flags ...string) {
	for _, flag := range flags {
		if err := cmd.MarkFlagRequired(flag); err != nil {
			panic(err) // the flag is not there: a mistake in our own code
		}
	}
}
