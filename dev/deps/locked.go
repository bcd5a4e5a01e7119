package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// locked is a set of tools that a lock file names.
type locked struct {
	lock      string // the file
	installed string // a copy of it as it was last installed
	install   func(context.Context) error
}

func (l locked) met(context.Context) (bool, error) {
	want, err := os.ReadFile(l.lock)
	if err != nil {
		return false, fmt.Errorf("read lock file: %w", err)
	}
	have, err := os.ReadFile(l.installed)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, fmt.Errorf("read installed lock file: %w", err)
	}
	return bytes.Equal(want, have), nil
}

// bring installs exactly what the lock file says.
func (l locked) bring(ctx context.Context) error {
	lock, err := os.ReadFile(l.lock)
	if err != nil {
		return fmt.Errorf("read lock file: %w", err)
	}
	if err := l.install(ctx); err != nil {
		return err
	}
	if err := os.WriteFile(l.installed, lock, 0o644); err != nil { //nolint:gosec // G306: other users test here too
		return fmt.Errorf("remember what is installed: %w", err)
	}
	return nil
}
