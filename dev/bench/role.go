package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"golang.org/x/sync/errgroup"

	"steward/dev/stack/process"
	"steward/internal/app"
	"steward/internal/config"
)

// play is one of the programs beside the benchmark: "worker", "api", or a sandbox server, its folder and, for the remote
// one, its address.
func play(ctx context.Context, args []string, log *slog.Logger) error {
	switch {
	case len(args) == 1 && args[0] == "worker":
		return work(ctx, log)
	case len(args) == 1 && args[0] == "api":
		return serve(ctx, log)
	case len(args) == 2 && (args[0] == "files" || args[0] == "mailbox"):
		return serveSandbox(ctx, args[0], args[1])
	case len(args) == 3 && args[0] == "remote":
		return serveRemote(ctx, args[1], args[2])
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

// serve runs the product's API.
func serve(ctx context.Context, log *slog.Logger) error {
	cfg, err := config.Load(os.LookupEnv, config.Serving()...)
	if err != nil {
		return err
	}
	return app.API(ctx, cfg, log)
}

// startRole starts one of them in a process of its own, as in production.
func (s *site) startRole(ctx context.Context, name string, args ...string) (*process.Process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	return process.Start(ctx, process.Config{
		Name: name, Path: self, Args: append([]string{name}, args...), Env: os.Environ(), Log: s.log,
		LogFile: filepath.Join(s.data, "logs", name+".log"),
	})
}

// besideAPI runs a stage while the API serves.
func (s *site) besideAPI(ctx context.Context, stage func(*caller) error) error {
	p, err := s.startRole(ctx, "api")
	if err != nil {
		return err
	}
	c, err := newCaller(ctx, s)
	if err == nil {
		err = stage(c)
	}
	return errors.Join(err, p.Stop(context.WithoutCancel(ctx)))
}
