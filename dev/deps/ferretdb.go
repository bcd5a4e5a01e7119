package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Where the MongoDB-compatible server of the tests is, and what pins it.
const (
	ferretBinary = "bin/ferretdb"
	ferretModule = "dev/ferretdb"
)

func ferretdb() locked {
	return locked{
		lock: filepath.Join(ferretModule, "go.sum"), installed: ferretBinary + ".sum",
		install: func(ctx context.Context) error { return buildFerretDB(ctx, ferretBinary) },
	}
}

// ferretdbMet is locked.met for something that is deleted more easily than its lock file.
func ferretdbMet(ctx context.Context) (bool, error) {
	if _, err := os.Stat(ferretBinary); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return ferretdb().met(ctx)
}

func bringFerretDB(ctx context.Context) error { return ferretdb().bring(ctx) }

// buildFerretDB builds a copy of the module, since the server panics without a file that its release process makes
// and the module does not have. Its own go.sum, which comes with it, locks what it is built from.
func buildFerretDB(ctx context.Context, binary string) error {
	source, version, err := downloaded(ctx, ferretModule, "github.com/FerretDB/FerretDB")
	if err != nil {
		return err
	}
	binary, err = filepath.Abs(binary)
	if err != nil {
		return fmt.Errorf("find folder of binaries: %w", err)
	}
	dir, err := os.MkdirTemp("", "ferretdb-")
	if err != nil {
		return fmt.Errorf("make build folder: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := os.CopyFS(dir, os.DirFS(source)); err != nil {
		return fmt.Errorf("copy sources: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "build", "version", "version.txt"), []byte(version), 0o600); err != nil {
		return fmt.Errorf("write version: %w", err)
	}
	fmt.Fprintf(os.Stderr, "deps: building FerretDB %s (a minute or two)\n", version)
	return command(ctx, dir, "env", "CGO_ENABLED=0", "GOFLAGS=-mod=readonly",
		"go", "build", "-trimpath", "-ldflags", "-s -w", "-o", binary, "./cmd/ferretdb")
}

// downloaded fetches a module in the version that the go.mod of dir names and its go.sum vouches for.
func downloaded(ctx context.Context, dir, module string) (source, version string, err error) {
	cmd := exec.CommandContext(ctx, "go", "mod", "download", "-json", module) //nolint:gosec // G204: a constant of this program
	cmd.Dir = dir
	out, err := cmd.Output()
	var got struct{ Dir, Version, Error string }
	if decoding := json.NewDecoder(bytes.NewReader(out)).Decode(&got); decoding != nil {
		return "", "", fmt.Errorf("download %s: %w", module, errors.Join(err, decoding))
	}
	if err != nil || got.Error != "" {
		return "", "", fmt.Errorf("download %s: %w", module, errors.Join(err, errors.New(strings.TrimSpace(got.Error))))
	}
	return got.Dir, got.Version, nil
}
