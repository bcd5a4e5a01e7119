package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// npmTools is a folder with a package-lock.json.
type npmTools string

func (dir npmTools) lock() string { return filepath.Join(string(dir), "package-lock.json") }

// installed is a copy of the lock file that was last installed.
func (dir npmTools) installed() string {
	return filepath.Join(string(dir), "node_modules", ".installed")
}

func (dir npmTools) met(context.Context) (bool, error) {
	want, err := os.ReadFile(dir.lock())
	if err != nil {
		return false, fmt.Errorf("read lock file: %w", err)
	}
	have, err := os.ReadFile(dir.installed())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, fmt.Errorf("read installed lock file: %w", err)
	}
	return bytes.Equal(want, have), nil
}

// bring installs exactly what the lock file says. No package runs anything of its own: see .npmrc.
func (dir npmTools) bring(ctx context.Context) error {
	lock, err := os.ReadFile(dir.lock())
	if err != nil {
		return fmt.Errorf("read lock file: %w", err)
	}
	if err := command(ctx, string(dir), "npm", "ci", "--ignore-scripts", "--loglevel=error"); err != nil {
		return err
	}
	if err := os.WriteFile(dir.installed(), lock, 0o644); err != nil { //nolint:gosec // G306: other users test here too
		return fmt.Errorf("remember what is installed: %w", err)
	}
	return nil
}
