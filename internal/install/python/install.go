package python

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Make makes the virtual environment in folder that Install and Resolve work on.
func (t *Tool) Make(ctx context.Context, folder, home string) error {
	if err := t.environmentIn(ctx, folder, home, "--without-pip"); err != nil {
		return fmt.Errorf("make virtual environment: %w", err)
	}
	return nil
}

// Resolve finds out what name needs in the environment in folder: the package itself first. An empty version is the
// newest that fits. Nothing is installed.
func (t *Tool) Resolve(ctx context.Context, folder, home, name, version string, index Index) (Lock, error) {
	spec := name
	if version != "" {
		spec += "==" + version
	}
	out, err := t.pip(ctx, folder, home, index, "install", "--dry-run", "--ignore-installed", "--only-binary", ":all:", "--report", "-", spec)
	if err != nil {
		return nil, fmt.Errorf("resolve Python package: %w", err)
	}
	return readReport(out, name)
}

// Install puts exactly what lock lists into the environment in folder, each file with the hash it had when it was
// resolved. Nothing of it runs.
func (t *Tool) Install(ctx context.Context, folder, home string, lock Lock, index Index) error {
	var list strings.Builder
	for _, p := range lock {
		fmt.Fprintf(&list, "%s==%s --hash=sha256:%s\n", p.Name, p.Version, p.SHA256)
	}
	file := filepath.Join(home, "requirements.txt")
	if err := os.WriteFile(file, []byte(list.String()), 0o644); err != nil { //nolint:gosec // G306: pip reads it as somebody else
		return fmt.Errorf("write requirements: %w", err)
	}
	_, err := t.pip(ctx, folder, home, index, "install", "--no-deps", "--require-hashes", "--only-binary", ":all:", "--requirement", file)
	if err != nil {
		return fmt.Errorf("install Python package: %w", err)
	}
	return nil
}
