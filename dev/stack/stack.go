// Package stack starts what Steward needs around it on a developer's machine: a private PostgreSQL and, persisted
// in it, a Temporal server with its Web UI. `steward dev`, the chaos tests and the end-to-end tests run on one.
// What the caller already has, it names, and that part is not started.
//
// The data folder holds postgres/ (the cluster), logs/ (one file per process) and run/ (the lock).
package stack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"steward/dev/stack/lock"
	"steward/dev/stack/postgres"
	"steward/dev/stack/process"
	"steward/internal/fault"
	"steward/internal/secret"
)

// Config says what to start. Data and Log are required.
type Config struct {
	Data string // folder; made when it is missing, and locked
	Log  *slog.Logger

	// An existing PostgreSQL for the product; then its roles and databases are the caller's business.
	DatabaseURL  secret.String
	MigrationURL secret.String // of the tables' owner; DatabaseURL when zero

	// PostgreSQL is installed where none is found, with progress written here; nil makes that a fault.
	Install io.Writer

	TemporalAddress string // of an existing Temporal; else TemporalBinary is started
	TemporalBinary  string // steward-temporal
	TemporalPort    int    // preferred; any free one when it is taken or 0
	UI              bool   // start Temporal's Web UI
	UIPort          int    // preferred; any free one when it is taken or 0
	CodecEndpoint   string // where the Web UI has payloads decoded
}

// Stack is what runs. Its fields do not change while it does.
type Stack struct {
	DatabaseURL     secret.String // for the product, with its own rights only
	MigrationURL    secret.String // for the migrations
	TemporalAddress string        // host:port of the gRPC API
	UIAddress       string        // host:port of Temporal's Web UI; empty when there is none

	Postgres *postgres.Server // nil when nothing here needs one
	Temporal *process.Process // nil when the caller has one

	lock *lock.Lock
}

// Start returns when everything answers. ctx bounds the start alone. A data folder in use is a Conflict.
func Start(ctx context.Context, cfg Config) (*Stack, error) {
	if cfg.Data == "" || cfg.Log == nil {
		return nil, errors.New("stack: Data and Log are required")
	}
	s := &Stack{DatabaseURL: cfg.DatabaseURL, MigrationURL: cfg.MigrationURL, TemporalAddress: cfg.TemporalAddress}
	if s.MigrationURL.IsZero() {
		s.MigrationURL = s.DatabaseURL
	}
	if err := s.open(cfg.Data); err != nil {
		return nil, err
	}
	if err := s.start(ctx, cfg); err != nil {
		return nil, errors.Join(err, s.Stop(context.WithoutCancel(ctx)))
	}
	return s, nil
}

// open makes the data folder and locks it.
func (s *Stack) open(data string) error {
	mode := os.FileMode(0o700)
	if os.Getuid() == 0 {
		mode = 0o711 // PostgreSQL, which does not run as root, must get through to its own folder
	}
	if err := os.MkdirAll(data, mode); err != nil {
		return fmt.Errorf("open the data folder: %w", err)
	}
	var err error
	s.lock, err = lock.Acquire(filepath.Join(data, "run", "lock"))
	if errors.Is(err, lock.ErrHeld) {
		return fault.Wrap(err, fault.Conflict, "another steward is already running on this data folder: stop it, or choose another folder").
			WithCode("data_in_use")
	}
	return err
}

func (s *Stack) start(ctx context.Context, cfg Config) error {
	needsTemporal := cfg.TemporalAddress == ""
	if !cfg.DatabaseURL.IsZero() && !needsTemporal {
		return nil
	}
	if err := s.startPostgres(ctx, cfg); err != nil {
		return err
	}
	if cfg.DatabaseURL.IsZero() {
		if err := s.openProduct(ctx); err != nil {
			return err
		}
	}
	if !needsTemporal {
		return nil
	}
	url, err := s.openTemporal(ctx)
	if err != nil {
		return err
	}
	return s.startTemporal(ctx, cfg, url)
}

// Stop ends what was started, the users of a part before the part, and lets go of the data folder. Each
// process has 10 s to end by itself.
func (s *Stack) Stop(ctx context.Context) error {
	var failures []error
	if s.Temporal != nil {
		failures = append(failures, s.Temporal.Stop(ctx))
	}
	if s.Postgres != nil {
		failures = append(failures, s.Postgres.Stop(ctx))
	}
	return errors.Join(append(failures, s.lock.Release())...)
}
