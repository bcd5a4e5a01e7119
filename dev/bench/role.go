package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"golang.org/x/sync/errgroup"

	"steward/dev/stack/process"
	"steward/internal/app"
	"steward/internal/config"
)

// play is one of the programs beside the benchmark: "worker", or a sandbox server and its folder.
func play(ctx context.Context, args []string, log *slog.Logger) error {
	switch {
	case len(args) == 1 && args[0] == "worker":
		return work(ctx, log)
	case len(args) == 2 && (args[0] == "files" || args[0] == "mailbox"):
		return serveSandbox(ctx, args[0], args[1])
	default:
		return fmt.Errorf("bench takes no arguments, got %q", args)
	}
}

// work runs the product's worker and, in the same process, the bare workflow's.
func work(ctx context.Context, log *slog.Logger) error {
	cfg, err := config.Load(os.LookupEnv, config.Serving()...)
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return app.Worker(ctx, cfg, log) })
	group.Go(func() error { return workBare(ctx, cfg.Data, cfg.Model.BaseURL, log) })
	return group.Wait()
}

// startWorker starts work in a process of its own, as in production.
func (s *site) startWorker(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	p, err := process.Start(ctx, process.Config{
		Name: "worker", Path: self, Args: []string{"worker"}, Env: os.Environ(), Log: s.log,
		LogFile: filepath.Join(s.data, "logs", "worker.log"),
	})
	if err != nil {
		return err
	}
	s.later(p.Stop)
	return nil
}
