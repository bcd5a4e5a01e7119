// Package app wires everything: API and Worker are the two processes of a deployment, which `steward
// serve` runs apart or together and `steward dev` starts as children.
//
// Neither needs PostgreSQL or Temporal to be there when it starts, and both outlive restarts of either:
// until then requests are refused with 503, /ready names what is missing, and the worker waits.
package app

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"go.temporal.io/sdk/client"

	"steward/internal/automation"
	"steward/internal/config"
	"steward/internal/connector"
	"steward/internal/durable"
	"steward/internal/egress"
	"steward/internal/fault"
	"steward/internal/install"
	"steward/internal/oauth"
	"steward/internal/registry"
	"steward/internal/run"
	"steward/internal/secret"
	"steward/internal/store"
	"steward/internal/tool"
	"steward/internal/vault"
)

// shared is what both processes stand on.
type shared struct {
	cfg       *config.Config
	log       *slog.Logger
	db        *store.DB
	ring      *secret.Ring // of what is stored
	codec     *secret.Ring // of Temporal's payloads
	namespace string       // Temporal's
	temporal  client.Client
	exits     *egress.Exits
	registry  *registry.Registry
	consent   *oauth.Service
	vault     *vault.Vault

	connections *connector.Connections
	packages    *install.Service
	executor    *tool.Executor
	runs        *run.Service
	polling     atomic.Bool // the worker asks Temporal for work
}

// open builds the shared parts; nothing is dialled yet. Close must be called.
func open(ctx context.Context, cfg *config.Config, log *slog.Logger) (s *shared, err error) {
	s = &shared{cfg: cfg, log: log}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	if s.ring, err = secret.NewRing(cfg.Keys.Secrets); err != nil {
		return s, fmt.Errorf("FERNET_KEYS: %w", err)
	}
	if s.codec, err = secret.NewRing(cfg.Keys.Codec); err != nil {
		return s, fmt.Errorf("STEWARD_CODEC_KEYS: %w", err)
	}
	if s.db, err = store.Open(ctx, cfg.Database.URL, connections); err != nil {
		return s, err
	}
	if err := s.openTemporal(); err != nil {
		return s, err
	}
	if s.exits, err = newExits(cfg.Egress); err != nil {
		return s, err
	}
	if s.consent, err = newConsent(cfg, s.db, s.ring, s.exits, log); err != nil {
		return s, err
	}
	if err := s.openTools(); err != nil {
		return s, err
	}
	examineChildren(ctx, log)
	model, err := modelName(cfg.Model)
	if err != nil {
		return s, err
	}
	hosted, err := hostsTools(cfg.Model)
	if err != nil {
		return s, err
	}
	s.runs, err = run.New(s.db, s.ring, s.temporal, s.executor, s.connections, log, run.Options{
		Model: model, HostedMCP: hosted, QueueLimit: cfg.Limits.Queue, InstructionsMax: cfg.Limits.Instructions,
		Limits: automation.Limits{
			Steps: cfg.Limits.Steps, Tokens: cfg.Limits.Tokens, WallSeconds: int64(cfg.Limits.Wall / time.Second),
			CostMicroUSD: microUSD(cfg.Spending.Run),
		},
	})
	if err != nil {
		return s, err
	}
	s.consent.OnConsent(s.wake)
	s.registry.OnReview(s.wakeReviewed)
	return s, nil
}

// wake lets runs go on that waited for a consent.
func (s *shared) wake(ctx context.Context, owner string) {
	if err := s.runs.Wake(ctx, owner); err != nil {
		s.log.WarnContext(ctx, "runs not woken yet", "error", err)
	}
}

// wakeReviewed lets runs go on that waited until somebody has looked at a server's changed tool.
func (s *shared) wakeReviewed(ctx context.Context, server int64) {
	if err := s.runs.WakeReviewed(ctx, server); err != nil {
		s.log.WarnContext(ctx, "runs not woken yet", "error", err)
	}
}

// connections is how many a process holds at most: enough for the API's reads and for the worker's
// activities, which hold one only while they write, and few enough for several processes on a default
// PostgreSQL of a hundred.
const connections = 20

func (s *shared) openTemporal() error {
	profile, err := durable.Profile(nil)
	if err != nil {
		return err
	}
	if s.namespace = profile.Namespace; s.namespace == "" {
		s.namespace = client.DefaultNamespace
	}
	s.temporal, err = durable.NewClient(durable.Options{Profile: profile, Codec: s.codec, Log: s.log})
	return err
}

// openTools makes the executor. The API needs it too, to check the arguments with which a person replaces
// the model's; its pool of sessions never dials there.
func (s *shared) openTools() error {
	var err error
	if s.vault, err = vault.New(s.db, s.ring); err != nil {
		return err
	}
	folder, err := s.packagesFolder()
	if err != nil {
		return err
	}
	guard, err := install.NewGuard(s.db, folder)
	if err != nil {
		return err
	}
	if s.registry, err = registry.New(s.db, s.ring, s.consent, s.vault, s.exits, registry.Options{Packages: folder, Data: s.cfg.Data, Installed: guard.Check}, s.log); err != nil {
		return err
	}
	if s.packages, err = install.New(s.db, s.ring, s.temporal, s.registry, s.log); err != nil {
		return err
	}
	if s.connections, err = connector.NewConnections(connector.Options{
		Credentials: s.consent, DB: s.db, Ring: s.ring, Log: s.log,
		Dial: func(owner string) connector.Dial { return s.exits.Of(owner).Dial },
	}, connectors()...); err != nil {
		return err
	}
	s.executor, err = tool.NewExecutor(s.db, s.ring, s.registry, s.connections, s.log, tool.Options{
		Expiry: s.cfg.Limits.Approval, Addressees: s.cfg.Guard.Addressees, Vault: s.vault, Tokens: s.consent,
	})
	if err == nil {
		s.registry.OnChange(s.executor.Changed)
	}
	return err
}

// sessionsClose bounds how long MCP servers may take to end when we do.
const sessionsClose = 5 * time.Second

// recordsClose bounds how long the audit events of calls that only read may take to be written when we end.
const recordsClose = 5 * time.Second

// close ends the parts in the order in which they use each other.
func (s *shared) close() {
	if s.runs != nil {
		s.runs.Close()
	}
	if s.executor != nil {
		ctx, cancel := context.WithTimeout(context.Background(), recordsClose)
		defer cancel()
		if err := s.executor.Close(ctx); err != nil {
			s.log.Error("calls made are not recorded", "error", err)
		}
	}
	if s.connections != nil {
		s.connections.Close()
	}
	if s.registry != nil {
		ctx, cancel := context.WithTimeout(context.Background(), sessionsClose)
		defer cancel()
		if err := s.registry.Close(ctx); err != nil {
			s.log.Warn("MCP sessions did not end in time", "error", err)
		}
	}
	if s.exits != nil {
		s.exits.Close()
	}
	if s.temporal != nil {
		s.temporal.Close()
	}
	if s.db != nil {
		s.db.Close()
	}
}

// CheckpointFile is where signed checkpoints of the audit log are kept outside the database.
func CheckpointFile(cfg *config.Config) string {
	return filepath.Join(cfg.Data, "audit-checkpoints.jsonl")
}

// makeData makes the data folder for what a process writes into it.
func makeData(cfg *config.Config) error {
	if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
		return fault.Wrap(err, fault.Invalid, "settings: STEWARD_DATA is no folder that can be made").WithCode("invalid_settings")
	}
	return nil
}
