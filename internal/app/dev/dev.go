// Package dev is `steward dev`: everything that Steward needs on a developer's machine, started with one
// command, each part a process of its own, and gone with it.
package dev

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"steward/dev/stack"
	"steward/dev/stack/process"
	"steward/internal/config"
	"steward/internal/store"
)

// Options are what the command line adds to the settings.
type Options struct {
	Listen   string // of the API; empty: STEWARD_LISTEN
	UI       string // of Temporal's Web UI; empty: STEWARD_TEMPORAL_UI_URL
	NoSample bool   // do not run the sample automation
	Out      io.Writer
	Log      *slog.Logger
}

// Run starts everything, runs the sample automation and stays until ctx ends; then it drains the parts in
// order. A second Run on the same data folder is a Conflict.
func Run(ctx context.Context, o Options) error {
	s, err := prepare(ctx, o)
	if err != nil {
		return err
	}
	err = s.start(ctx)
	if err == nil {
		err = s.welcome(ctx)
	}
	if err == nil {
		<-ctx.Done()
	}
	if ctx.Err() != nil {
		err = nil // asked to end: what was cut off by that is no failure
		s.say("ending")
	}
	return errors.Join(err, s.stop())
}

// supervisor is a running stack.
type supervisor struct {
	Options

	cfg    *config.Config
	exe    string // our own program
	began  time.Time
	places places

	stack              *stack.Stack
	api, worker, model *process.Process
	sandbox            bool // the sandbox servers are registered
	recorder           *recorder
}

// prepare reads the settings and takes addresses; nothing runs yet.
func prepare(ctx context.Context, o Options) (*supervisor, error) {
	s := &supervisor{Options: o, began: time.Now()}
	var err error
	if s.cfg, err = config.Load(os.LookupEnv); err != nil {
		return nil, err
	}
	if s.exe, err = os.Executable(); err != nil {
		return nil, fmt.Errorf("find our own program: %w", err)
	}
	if s.cfg.Data, err = filepath.Abs(s.cfg.Data); err != nil {
		return nil, fmt.Errorf("find the data folder: %w", err)
	}
	if s.places, err = take(ctx, s.cfg, o); err != nil {
		return nil, err
	}
	return s, nil
}

// start brings the parts up, side by side where they do not need each other.
func (s *supervisor) start(ctx context.Context) (err error) {
	if s.stack, err = s.startStack(ctx); err != nil {
		return err
	}
	s.say("PostgreSQL and Temporal are up")
	if err := s.migrate(ctx); err != nil {
		return err
	}
	if err := s.startParts(ctx); err != nil {
		return err
	}
	s.recorder = record(s)
	s.say("API and worker run")
	return s.awaitReady(ctx)
}

func (s *supervisor) startParts(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) { s.api, err = process.Start(ctx, s.apiConfig()); return err })
	group.Go(func() error {
		if err := s.startModel(ctx); err != nil {
			return err
		}
		var err error
		s.worker, err = process.Start(ctx, s.workerConfig())
		return err
	})
	return group.Wait()
}

// migrate brings the database up to date and gives it the sandbox servers; the keys come first, since a
// server's settings are sealed with them.
func (s *supervisor) migrate(ctx context.Context) error {
	if err := config.GenerateKeys(filepath.Join(s.cfg.Data, config.KeysFile)); err != nil {
		return err
	}
	cfg, err := config.Load(os.LookupEnv) // with the keys
	if err != nil {
		return err
	}
	s.cfg.Keys, s.cfg.Auth = cfg.Keys, cfg.Auth
	s.places.apply(s.cfg)
	if err := store.Migrate(ctx, s.stack.MigrationURL, s.Log); err != nil {
		return err
	}
	if err := s.writeDatabaseURLs(); err != nil {
		return err
	}
	if err := s.registerSandbox(ctx); err != nil {
		return err
	}
	s.say("database migrated, sandbox servers registered")
	return nil
}

// writeDatabaseURLs leaves the passwords of this life of the stack for the command line, see Lookup.
func (s *supervisor) writeDatabaseURLs() error {
	return errors.Join(
		writePrivate(runFile(s.cfg.Data, databaseName), []byte(s.stack.DatabaseURL.Reveal()+"\n")),
		writePrivate(runFile(s.cfg.Data, migrationsName), []byte(s.stack.MigrationURL.Reveal()+"\n")),
	)
}

// stop ends the parts, the users of a part before the part.
func (s *supervisor) stop() error {
	ctx := context.Background() // each part has a limit of its own
	var failures []error
	if s.recorder != nil {
		s.recorder.stop()
	}
	for _, part := range []struct {
		name string
		*process.Process
	}{{"API", s.api}, {"worker", s.worker}, {"model", s.model}} {
		if part.Process != nil {
			failures = append(failures, part.Stop(ctx))
			s.say("%s ended", part.name)
		}
	}
	if s.stack != nil {
		failures = append(failures, removeState(s.cfg.Data), s.stack.Stop(ctx))
		s.say("Temporal and PostgreSQL ended")
	}
	return errors.Join(failures...)
}

// say tells a person how far we are.
func (s *supervisor) say(format string, args ...any) {
	_, _ = fmt.Fprintf(s.Out, "%5.1f s  %s\n", time.Since(s.began).Seconds(), fmt.Sprintf(format, args...))
}
