package main

import (
	"log/slog"

	"github.com/spf13/cobra"

	"steward/internal/app/dev"
	"steward/internal/secret"
	"steward/internal/telemetry"
)

func devCommand() *cobra.Command {
	var o dev.Options
	cmd := &cobra.Command{
		Use:   "dev",
		Short: "Start everything on this machine and run a sample automation",
		Long: "Start everything on this machine, each part a process of its own: a private PostgreSQL and Temporal (or yours, when DATABASE_URL " +
			"or TEMPORAL_ADDRESS is set), the API, a worker, the sandbox MCP servers and, unless OPENAI_API_KEY or OPENAI_BASE_URL is set, " +
			"a rule-based development model. One sample automation runs to its end; Ctrl-C ends everything. Data is kept in STEWARD_DATA.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.Out = cmd.OutOrStdout()
			o.Log = telemetry.Console(cmd.ErrOrStderr(), slog.LevelInfo, secret.NewRedactor())
			return dev.Run(cmd.Context(), o)
		},
	}
	cmd.Flags().StringVar(&o.Listen, "listen", "", "loopback address of the API; default STEWARD_LISTEN, port 0 takes a free one")
	cmd.Flags().StringVar(&o.UI, "ui", "", "loopback address of Temporal's Web UI; default that of STEWARD_TEMPORAL_UI_URL")
	cmd.Flags().BoolVar(&o.NoSample, "no-sample", false, "do not run the sample automation")
	return cmd
}
