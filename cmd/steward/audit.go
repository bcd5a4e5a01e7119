package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"steward/internal/app"
	"steward/internal/app/dev"
	"steward/internal/audit"
	"steward/internal/automation"
	"steward/internal/config"
	"steward/internal/durable"
	"steward/internal/secret"
	"steward/internal/store"
	"steward/internal/telemetry"
)

func auditCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "audit", Short: "Verify the audit log"}
	cmd.AddCommand(auditVerify(), auditCheckpoint())
	return cmd
}

// verification is what audit verify prints as JSON.
type verification struct {
	Audit    audit.Report  `json:"audit"`
	Temporal *audit.Report `json:"temporal,omitempty"`
}

func auditVerify() *cobra.Command {
	var run int64
	var temporal, asJSON bool
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Recompute the chains and compare them with the signed checkpoints",
		Long: "Recompute every chain of the audit log and compare it with the signed checkpoints of the database and of the file beside it. " +
			"Exit code 0: everything holds; 1: something is broken, and where; 2: it cannot be told.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			v, err := verify(cmd.Context(), run, temporal)
			if err != nil {
				return err
			}
			if err := v.print(cmd, asJSON); err != nil {
				return err
			}
			if code := v.exitCode(); code != 0 {
				return exit(code)
			}
			return nil
		},
	}
	cmd.Flags().Int64Var(&run, "run", 0, "only this run's chain")
	cmd.Flags().BoolVar(&temporal, "temporal", false, "compare all runs with Temporal's own history too")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func verify(ctx context.Context, run int64, withTemporal bool) (v verification, err error) {
	cfg, err := settings("DATABASE_URL", "STEWARD_AUDIT_KEY")
	if err != nil {
		return v, err
	}
	db, err := store.Open(ctx, cfg.Database.URL, 2)
	if err != nil {
		return v, err
	}
	defer db.Close()
	public, err := audit.PublicKey(cfg.Keys.Audit)
	if err != nil {
		return v, err
	}
	verifier, err := audit.NewVerifier(db, []string{public}, checkpointFile(ctx, cfg, db))
	if err != nil {
		return v, err
	}
	if run != 0 {
		v.Audit = verifier.VerifyChain(ctx, automation.AuditChain(run))
	} else {
		v.Audit = verifier.VerifyAll(ctx, nil)
	}
	if !withTemporal {
		return v, nil
	}
	report, err := compare(ctx, cfg, db)
	v.Temporal = &report
	return v, err
}

// checkpointFile is "" as long as nothing was ever signed: before the first minute there is no file yet.
func checkpointFile(ctx context.Context, cfg *config.Config, db *store.DB) string {
	path := app.CheckpointFile(cfg)
	if _, err := os.Stat(path); err == nil {
		return path
	}
	first, err := db.ListCheckpoints(ctx, store.ListCheckpointsParams{PageSize: 1})
	if err == nil && len(first) == 0 {
		return ""
	}
	return path
}

func compare(ctx context.Context, cfg *config.Config, db *store.DB) (audit.Report, error) {
	ring, err := secret.NewRing(cfg.Keys.Codec)
	if err != nil {
		return audit.Report{}, fmt.Errorf("STEWARD_CODEC_KEYS: %w", err)
	}
	profile, err := durable.Profile(environment{})
	if err != nil {
		return audit.Report{}, err
	}
	temporal, err := durable.NewClient(durable.Options{Profile: profile, Codec: ring, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return audit.Report{}, err
	}
	defer temporal.Close()
	return audit.CheckTemporal(ctx, db, audit.TemporalHistory(temporal)), nil
}

// environment is ours with what the running stack adds, as the Temporal SDK asks for it.
type environment struct{}

// Environ implements envconfig.EnvLookup.
func (environment) Environ() []string { return os.Environ() }

// LookupEnv implements envconfig.EnvLookup.
func (environment) LookupEnv(name string) (string, bool) { return dev.Lookup(os.LookupEnv)(name) }

// exitCode is 1 when either is broken, else 2 when either cannot tell.
func (v verification) exitCode() int {
	codes := []int{v.Audit.ExitCode()}
	if v.Temporal != nil {
		codes = append(codes, v.Temporal.ExitCode())
	}
	worst := 0
	for _, code := range codes {
		if code == 1 || worst == 0 {
			worst = code
		}
	}
	return worst
}

func (v verification) print(cmd *cobra.Command, asJSON bool) error {
	out := cmd.OutOrStdout()
	if asJSON {
		return printJSON(out, v)
	}
	if err := v.Audit.WriteText(out); err != nil || v.Temporal == nil {
		return err
	}
	if _, err := fmt.Fprint(out, "compared with Temporal: "); err != nil {
		return err
	}
	return v.Temporal.WriteText(out)
}

func auditCheckpoint() *cobra.Command {
	return &cobra.Command{
		Use: "checkpoint", Short: "Sign what the chains are now, as a worker does every minute", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := settings("DATABASE_URL", "STEWARD_AUDIT_KEY")
			if err != nil {
				return err
			}
			db, err := store.Open(cmd.Context(), cfg.Database.URL, 2)
			if err != nil {
				return err
			}
			defer db.Close()
			log := telemetry.Console(os.Stderr, slog.LevelWarn, secret.NewRedactor(app.Secrets(cfg)...))
			checkpoints, err := audit.NewCheckpointer(db, cfg.Keys.Audit, app.CheckpointFile(cfg), log)
			if err != nil {
				return err
			}
			heads, err := checkpoints.Checkpoint(cmd.Context())
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%d chains signed\n", heads)
			return err
		},
	}
}
