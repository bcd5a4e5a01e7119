package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"steward/dev/offline"
	"steward/dev/stack"
	"steward/internal/config"
	"steward/internal/connector"
	"steward/internal/egress"
	"steward/internal/oauth"
	"steward/internal/registry"
	"steward/internal/secret"
	"steward/internal/store"
	"steward/internal/tool"
	"steward/internal/vault"
)

// temporalBinary is where `make bin/steward-temporal` leaves it; the benchmark runs in the repository's root.
const temporalBinary = "bin/steward-temporal"

// site is what the stages measure on.
type site struct {
	data    string
	remote  string // address of the remote server
	stack   *stack.Stack
	model   *recorder // in front of the offline model
	cfg     *config.Config
	db      *store.DB
	ring    *secret.Ring
	servers *registry.Registry
	users   *connector.Connections
	tools   *tool.Executor
	log     *slog.Logger

	closers []func(context.Context) error
}

// openSite starts the stack in a folder of its own, prepares the database and registers the sandbox servers.
func openSite(ctx context.Context, log *slog.Logger) (s *site, err error) {
	s = &site{log: log}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close(context.WithoutCancel(ctx)))
		}
	}()
	if s.data, err = os.MkdirTemp("", "steward-bench-"); err != nil {
		return s, fmt.Errorf("make data folder: %w", err)
	}
	s.later(func(context.Context) error { return os.RemoveAll(s.data) })
	// PostgreSQL, which does not run as root, must get through to its own folder.
	if err := os.Chmod(s.data, 0o711); err != nil { //nolint:gosec // G302: see above
		return s, fmt.Errorf("open data folder: %w", err)
	}
	s.stack, err = stack.Start(ctx, stack.Config{
		Data: s.data, Log: log, Install: os.Stderr, TemporalBinary: temporalBinary,
	})
	if err != nil {
		return s, err
	}
	s.later(s.stack.Stop)
	if err := store.Migrate(ctx, s.stack.MigrationURL, slog.New(slog.DiscardHandler)); err != nil {
		return s, err
	}
	if s.model, err = serveModel(ctx, log); err != nil {
		return s, err
	}
	s.later(s.model.close)
	if err := s.configure(ctx); err != nil {
		return s, err
	}
	return s, s.openTools(ctx)
}

// configure sets the environment as an operator would, for this process and for the worker's, and reads it.
func (s *site) configure(ctx context.Context) error {
	if err := config.GenerateKeys(filepath.Join(s.data, config.KeysFile)); err != nil {
		return err
	}
	address, err := freeAddress(ctx)
	if err != nil {
		return err
	}
	if s.remote, err = freeAddress(ctx); err != nil {
		return err
	}
	for name, value := range map[string]string{
		"STEWARD_DATA": s.data, "STEWARD_LISTEN": address, "STEWARD_PUBLIC_URL": "http://" + address,
		"DATABASE_URL": s.stack.DatabaseURL.Reveal(), "TEMPORAL_ADDRESS": s.stack.TemporalAddress,
		"OPENAI_BASE_URL": s.model.url, "OPENAI_API_KEY": "offline", "STEWARD_MODEL": offline.Model,
		"STEWARD_EGRESS_ALLOW": "127.0.0.1/32", // the remote server
		// The bursts come from few users.
		"STEWARD_RATE_CREATE": "100000", "STEWARD_RATE_CALLS": "1000000", "STEWARD_RATE_MCP": "1000000",
	} {
		if err := os.Setenv(name, value); err != nil {
			return fmt.Errorf("set %s: %w", name, err)
		}
	}
	s.cfg, err = config.Load(os.LookupEnv, config.Serving()...)
	return err
}

// openTools makes an executor in this process, as a worker has one.
func (s *site) openTools(ctx context.Context) error {
	var err error
	if s.ring, err = secret.NewRing(s.cfg.Keys.Secrets); err != nil {
		return err
	}
	if s.db, err = store.Open(ctx, s.cfg.Database.URL, connections); err != nil {
		return err
	}
	s.later(func(context.Context) error { s.db.Close(); return nil })
	if err := s.register(ctx); err != nil {
		return err
	}
	secrets, err := vault.New(s.db, s.ring)
	if err != nil {
		return err
	}
	if s.servers, err = registry.New(s.db, s.ring, &oauth.Service{}, secrets, egress.New(egress.Rules{}), registry.Options{}, s.log); err != nil {
		return err
	}
	s.later(s.servers.Close)
	if s.users, err = connector.NewConnections(connector.Options{Credentials: &oauth.Service{}}); err != nil {
		return err
	}
	s.tools, err = tool.NewExecutor(s.db, s.ring, s.servers, s.users, s.log, tool.Options{})
	return err
}

// owner is whose runs and calls are measured.
const owner = "bench"

// connections is as many as a process of the product has, and enough for the widest stage.
const connections = 32

// later has fn called by close, the last one first.
func (s *site) later(fn func(context.Context) error) { s.closers = append(s.closers, fn) }

func (s *site) close(ctx context.Context) error {
	var failures []error
	for i := len(s.closers) - 1; i >= 0; i-- {
		failures = append(failures, s.closers[i](ctx))
	}
	return errors.Join(failures...)
}
