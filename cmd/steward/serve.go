package main

import (
	"context"
	"io"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"steward/internal/app"
	"steward/internal/config"
	"steward/internal/secret"
	"steward/internal/telemetry"
)

func serveCommand() *cobra.Command {
	serve := &cobra.Command{Use: "serve", Short: "Run the API, a worker, or both, with settings from the environment"}
	lifeline := serve.PersistentFlags().Bool("lifeline", false, "end when standard input does")
	hide(serve, "lifeline")
	add := func(name, short string, run func(context.Context, *config.Config, *slog.Logger) error) {
		serve.AddCommand(&cobra.Command{
			Use: name, Short: short, Args: cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error {
				cfg, err := config.Load(os.LookupEnv, config.Serving()...)
				if err != nil {
					return err
				}
				ctx := cmd.Context()
				if *lifeline {
					ctx = untilEOF(ctx, os.Stdin)
				}
				return run(ctx, cfg, telemetry.Logger(os.Stderr, slog.LevelInfo, secret.NewRedactor(app.Secrets(cfg)...)))
			},
		})
	}
	add("api", "Serve HTTP", app.API)
	add("worker", "Carry out runs", app.Worker)
	add("all", "Both in one process", app.Both)
	return serve
}

// untilEOF returns a context that also ends when r does. A supervisor holds the other end of r, so its
// death, even by SIGKILL, ends us on systems that have no parent-death signal.
func untilEOF(parent context.Context, r io.Reader) context.Context {
	ctx, cancel := context.WithCancel(parent)
	go func() {
		defer cancel()
		_, _ = io.Copy(io.Discard, r)
	}()
	return ctx
}

// hide keeps a flag that only our own supervisor sets out of the help.
func hide(cmd *cobra.Command, flag string) {
	if err := cmd.PersistentFlags().MarkHidden(flag); err != nil {
		panic(err) // the flag is not there: a mistake in our own code
	}
}
