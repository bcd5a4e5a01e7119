package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"steward/internal/app"
	"steward/internal/config"
	"steward/internal/fault"
	"steward/internal/rotation"
	"steward/internal/secret"
	"steward/internal/store"
	"steward/internal/telemetry"
)

func keysCommand() *cobra.Command {
	keys := &cobra.Command{
		Use:   "keys",
		Short: "Make and rotate the keys that seal and sign",
		Long: "Make and rotate the keys that seal and sign. A ring is rotated while everything runs: add a key, promote it, rewrap what the old one " +
			"has sealed, look at the status, retire the old one. Every command may be repeated after it was cut off.",
	}
	keys.AddCommand(keysGenerate(), keysAdd(), keysPromote(), keysRewrap(), keysStatus(), keysRetire())
	return keys
}

func keysGenerate() *cobra.Command {
	var file string
	generate := &cobra.Command{
		Use:   "generate",
		Short: "Add the keys that are missing to the keys file and print its path",
		Long: "Add the keys that are missing to the keys file (mode 0600) and print its path. Keys that are there stay as they are, " +
			"so it may be repeated.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if file == "" {
				cfg, err := settings()
				if err != nil {
					return err
				}
				file = cfg.KeysPath()
			}
			if err := config.GenerateKeys(file); err != nil {
				return err
			}
			_, err := fmt.Fprintln(cmd.OutOrStdout(), file)
			return err
		},
	}
	generate.Flags().StringVar(&file, "file", "", "path of the keys file; default "+config.KeysFile+" in the data folder")
	return generate
}

// rotating is what the commands of a rotation have in common.
type rotating struct {
	ring   string
	asJSON bool
}

func (r *rotating) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&r.ring, "ring", rotation.Secrets, "secrets (FERNET_KEYS) or codec (STEWARD_CODEC_KEYS)")
	cmd.Flags().BoolVar(&r.asJSON, "json", false, "print JSON on standard output")
}

// with gives fn the rotation of the ring.
func (r *rotating) with(ctx context.Context, fn func(*rotation.Service) error) error {
	cfg, err := settings("DATABASE_URL", "FERNET_KEYS", "STEWARD_CODEC_KEYS")
	if err != nil {
		return err
	}
	ring, err := rotation.Open(cfg, r.ring)
	if err != nil {
		return err
	}
	db, err := store.Open(ctx, cfg.Database.URL, 4)
	if err != nil {
		return err
	}
	defer db.Close()
	log := telemetry.Console(os.Stderr, slog.LevelWarn, secret.NewRedactor(app.Secrets(cfg)...))
	service, err := rotation.New(db, ring, operator(), log)
	if err != nil {
		return err
	}
	err = fn(service)
	if store.IsUnavailable(err) {
		return fault.Wrap(err, fault.Unavailable, "the database of DATABASE_URL does not answer")
	}
	return err
}

// waiting tells a person for which processes a command waits.
func waiting(cmd *cobra.Command, what string) func([]rotation.Process) {
	return func(processes []rotation.Process) {
		for _, p := range processes {
			_, _ = fmt.Fprintf(cmd.ErrOrStderr(), "waiting for %s to %s\n", p, what)
		}
	}
}
