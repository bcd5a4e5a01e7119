package main

import (
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"steward/internal/app"
	"steward/internal/secret"
	"steward/internal/store"
	"steward/internal/telemetry"
)

func migrateCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "migrate",
		Short: "Bring the database to the newest version",
		Long: "Bring the database to the newest version, as the role of STEWARD_MIGRATE_DATABASE_URL, or of DATABASE_URL " +
			"where one role does everything. Several processes may do so at once.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := settings("DATABASE_URL")
			if err != nil {
				return err
			}
			log := telemetry.Console(os.Stderr, slog.LevelInfo, secret.NewRedactor(app.Secrets(cfg)...))
			return store.Migrate(cmd.Context(), cfg.Database.MigrateURL, log)
		},
	}
}
