package postgres

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"steward/dev/stack/lock"
	"steward/dev/stack/process"
	"steward/internal/fault"
	"steward/internal/secret"
)

// cluster is a data directory that exists, fits its binaries and is locked for us.
type cluster struct {
	cfg      Config
	bin      string
	data     string
	account  *account
	password secret.String
	lock     *lock.Lock
}

// openCluster locks the folder, makes the cluster when there is none, and clears away a server that was left.
func openCluster(ctx context.Context, cfg Config) (_ *cluster, err error) {
	if cfg.Dir, err = filepath.Abs(cfg.Dir); err != nil {
		return nil, fmt.Errorf("open cluster: %w", err)
	}
	c := &cluster{cfg: cfg, data: filepath.Join(cfg.Dir, "data")}
	if c.account, err = serviceAccount(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("open cluster: %w", err)
	}
	c.lock, err = lock.Acquire(filepath.Join(cfg.Dir, "lock"))
	if errors.Is(err, lock.ErrHeld) {
		return nil, fault.Wrap(err, fault.Conflict, "another process runs PostgreSQL in this folder")
	} else if err != nil {
		return nil, fmt.Errorf("open cluster: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.lock.Release())
		}
	}()
	if err := stopLeftover(ctx, c.data); err != nil {
		return nil, err
	}
	made, err := os.ReadFile(filepath.Join(c.data, "PG_VERSION"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("open cluster: %w", err)
	}
	if c.bin, err = find(ctx, cfg.Bin, string(bytes.TrimSpace(made)), c.account); err != nil {
		return nil, err
	}
	if c.password, err = passwordIn(c.passwordFile()); err != nil {
		return nil, err
	}
	if err := c.account.own(cfg.Dir); err != nil {
		return nil, err
	}
	if made == nil {
		err = c.initialize(ctx)
	}
	return c, err
}

// initialize makes the data directory beside its place and renames it, so that an interrupted initdb leaves
// nothing half made.
func (c *cluster) initialize(ctx context.Context) error {
	fresh := c.data + ".new"
	if err := os.RemoveAll(fresh); err != nil {
		return fmt.Errorf("make cluster: %w", err)
	}
	err := process.Run(ctx, c.process("initdb", "-D", fresh, "-U", admin, "-A", "scram-sha-256",
		"--pwfile="+c.passwordFile(), "-E", "UTF8", "--locale=C", "--no-sync"))
	if err != nil {
		return fmt.Errorf("make cluster: %w", err)
	}
	if err := os.Rename(fresh, c.data); err != nil {
		return fmt.Errorf("make cluster: %w", err)
	}
	return nil
}

func (c *cluster) passwordFile() string { return filepath.Join(c.cfg.Dir, "password") }

// process is one of PostgreSQL's programs, run as the unprivileged account in a bare environment.
func (c *cluster) process(name string, args ...string) process.Config {
	return process.Config{
		Name: name, Path: filepath.Join(c.bin, name), Args: args, Dir: c.cfg.Dir,
		Env: []string{"PATH=/usr/bin:/bin", "LC_ALL=C", "TZ=UTC", "HOME=" + c.cfg.Dir},
		Log: c.cfg.Log, LogFile: logFile(c.cfg), Credential: c.account.credential(),
	}
}

// passwordIn reads the superuser's password, or makes one on first use.
func passwordIn(path string) (secret.String, error) {
	b, err := os.ReadFile(path) //nolint:gosec // G304: inside the cluster's folder
	if errors.Is(err, fs.ErrNotExist) {
		b = []byte(rand.Text())
		err = os.WriteFile(path, b, 0o600)
	}
	if err != nil {
		return secret.String{}, fmt.Errorf("read the superuser's password: %w", err)
	}
	return secret.New(string(b)), nil
}
