package main

import (
	"context"
	"fmt"
	"log/slog"
	"os/user"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"steward/internal/audit"
	"steward/internal/auth"
	"steward/internal/automation"
	"steward/internal/fault"
	"steward/internal/store"
)

func apiKeyCommand() *cobra.Command {
	keys := &cobra.Command{Use: "apikey", Short: "Keys for trusted backends, which call for their users"}
	keys.AddCommand(apiKeyCreate(), apiKeyList(), apiKeyRevoke())
	return keys
}

func apiKeyCreate() *cobra.Command {
	var g auth.KeyGrant
	var role string
	var scopes []string
	create := &cobra.Command{
		Use:   "create --name NAME --tenant USER",
		Short: "Make a key and print it, alone, on standard output; it cannot be shown again",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			g.Role, g.Scopes, g.CreatedBy = auth.Role(role), scopesOf(scopes), operator()
			return withKeys(cmd.Context(), func(keys *auth.Keys, q *store.Queries) error {
				text, key, err := keys.Create(cmd.Context(), g)
				if err != nil {
					return err
				}
				if err := record(cmd.Context(), q, audit.KeyCreated, key.ID, map[string]any{
					"key": key.ID, "name": key.Name, "role": key.Role, "tenants": key.Tenants, "scopes": key.Scopes, "expires_at": key.ExpiresAt.UTC(),
				}); err != nil {
					return err
				}
				_, err = fmt.Fprintln(cmd.OutOrStdout(), text.Reveal())
				return err
			})
		},
	}
	flags := create.Flags()
	flags.StringVar(&g.Name, "name", "", "what the key is for")
	flags.StringVar(&role, "role", string(auth.Service), "service, operator or auditor")
	flags.StringSliceVar(&g.Tenants, "tenant", nil, "a user for whom it may act; '*' for every user")
	flags.StringSliceVar(&scopes, "scope", nil, "only these scopes of the role")
	flags.DurationVar(&g.TTL, "ttl", auth.MaxKeyTTL, "how long it is valid")
	requireFlags(create, "name", "tenant")
	return create
}

func apiKeyList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List all keys, newest first", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withKeys(cmd.Context(), func(keys *auth.Keys, _ *store.Queries) error {
				all, err := keys.List(cmd.Context())
				if err != nil {
					return err
				}
				w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
				if _, err := fmt.Fprintln(w, "ID\tNAME\tROLE\tFOR\tSTATE\tEXPIRES\tLAST USED"); err != nil {
					return err
				}
				for _, k := range all {
					_, err := fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", k.ID, k.Name, k.Role, strings.Join(k.Tenants, ","),
						keyState(k, time.Now()), k.ExpiresAt.Local().Format(time.DateOnly), lastUsed(k))
					if err != nil {
						return err
					}
				}
				return w.Flush()
			})
		},
	}
}

func apiKeyRevoke() *cobra.Command {
	return &cobra.Command{
		Use: "revoke ID", Short: "End a key, within seconds everywhere", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withKeys(cmd.Context(), func(keys *auth.Keys, q *store.Queries) error {
				if err := keys.Revoke(cmd.Context(), args[0]); err != nil {
					return err
				}
				return record(cmd.Context(), q, audit.KeyRevoked, args[0], map[string]any{"key": args[0]})
			})
		},
	}
}

// withKeys gives fn the keys within a transaction, so that what it does and what the audit log says of it
// stand or fall together.
func withKeys(ctx context.Context, fn func(*auth.Keys, *store.Queries) error) error {
	cfg, err := settings("DATABASE_URL", "STEWARD_API_KEY_PEPPER")
	if err != nil {
		return err
	}
	db, err := store.Open(ctx, cfg.Database.URL, 1)
	if err != nil {
		return err
	}
	defer db.Close()
	err = db.Tx(ctx, func(q *store.Queries) error {
		keys, err := auth.NewKeys(q, cfg.Auth.Pepper, slog.New(slog.DiscardHandler))
		if err != nil {
			return err
		}
		return fn(keys, q)
	})
	if store.IsUnavailable(err) {
		return fault.Wrap(err, fault.Unavailable, "the database of DATABASE_URL does not answer")
	}
	return err
}

func record(ctx context.Context, q *store.Queries, kind, key string, body any) error {
	_, err := audit.Append(ctx, q, audit.Event{
		Chain: automation.AuditSystem, Key: kind + "/" + key, Kind: kind, Actor: operator(), Body: body,
	})
	return err
}

// operator names in the audit log who types, as the system knows them.
func operator() string {
	if u, err := user.Current(); err == nil && u.Username != "" {
		return "cli:" + u.Username
	}
	return "cli"
}

func keyState(k auth.Key, now time.Time) string {
	switch {
	case k.RevokedAt != nil:
		return "revoked"
	case now.After(k.ExpiresAt):
		return "expired"
	}
	return "good"
}

func lastUsed(k auth.Key) string {
	if k.LastUsed == nil {
		return "never"
	}
	return k.LastUsed.Local().Format("2006-01-02 15:04")
}
