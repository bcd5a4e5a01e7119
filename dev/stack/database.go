package stack

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"

	"steward/dev/stack/postgres"
	"steward/internal/fault"
	"steward/internal/secret"
)

// startPostgres starts the private cluster, after installing PostgreSQL where that is wanted and needed.
func (s *Stack) startPostgres(ctx context.Context, cfg Config) (err error) {
	config := postgres.Config{
		Dir: filepath.Join(cfg.Data, "postgres"), LogFile: filepath.Join(cfg.Data, "logs", "postgres.log"), Log: cfg.Log,
	}
	if s.Postgres, err = postgres.Start(ctx, config); cfg.Install != nil && fault.CodeOf(err) == postgres.CodeMissing {
		if err := postgres.Install(ctx, cfg.Install); err != nil {
			return err
		}
		s.Postgres, err = postgres.Start(ctx, config)
	}
	if fault.CodeOf(err) == postgres.CodeUnreachable {
		if config.Dir, err = elsewhere(cfg.Data); err != nil {
			return err
		}
		cfg.Log.InfoContext(ctx, "PostgreSQL's user may not enter the data folder: its cluster is kept elsewhere", "folder", config.Dir)
		s.Postgres, err = postgres.Start(ctx, config)
	}
	return err
}

// shared is where root keeps clusters of data folders that lie under a private one, such as /root.
const shared = "/var/lib/steward"

// elsewhere is the folder for the cluster of a data folder that PostgreSQL's user cannot reach: always the
// same one for the same data.
func elsewhere(data string) (string, error) {
	path, err := filepath.Abs(data)
	if err != nil {
		return "", fmt.Errorf("find the data folder: %w", err)
	}
	sum := sha256.Sum256([]byte(path))
	if err := os.MkdirAll(shared, 0o711); err != nil { //nolint:gosec // PostgreSQL's user must get through
		return "", fmt.Errorf("make a folder for PostgreSQL: %w", err)
	}
	return filepath.Join(shared, hex.EncodeToString(sum[:8])), nil
}

// openProduct makes database steward with its two logins. The migrator owns the tables; steward has what the
// migrations grant to the group steward_app.
func (s *Stack) openProduct(ctx context.Context) error {
	owner, login := newPassword(), newPassword()
	err := s.ensureRoles(ctx,
		postgres.Role{Name: "steward_app"},
		postgres.Role{Name: "steward_migrator", Password: owner, CreateRole: true},
		postgres.Role{Name: "steward", Password: login, MemberOf: []string{"steward_app"}},
	)
	if err != nil {
		return err
	}
	if err := s.Postgres.EnsureDatabase(ctx, "steward", "steward_migrator", "steward_app"); err != nil {
		return err
	}
	s.MigrationURL = s.Postgres.URL("steward", "steward_migrator", owner)
	s.DatabaseURL = s.Postgres.URL("steward", "steward", login)
	return nil
}

// openTemporal makes Temporal's login and its two databases and returns the cluster's address for it.
func (s *Stack) openTemporal(ctx context.Context) (secret.String, error) {
	password := newPassword()
	if err := s.ensureRoles(ctx, postgres.Role{Name: "temporal", Password: password}); err != nil {
		return secret.String{}, err
	}
	for _, name := range []string{temporalDatabase, visibilityDatabase} {
		if err := s.Postgres.EnsureDatabase(ctx, name, "temporal"); err != nil {
			return secret.String{}, err
		}
	}
	return s.Postgres.URL("", "temporal", password), nil
}

func (s *Stack) ensureRoles(ctx context.Context, roles ...postgres.Role) error {
	for _, role := range roles {
		if err := s.Postgres.EnsureRole(ctx, role); err != nil {
			return err
		}
	}
	return nil
}

// newPassword is good for one life of the stack: the next start sets another, so none needs to be kept.
func newPassword() secret.String { return secret.New(rand.Text()) }
