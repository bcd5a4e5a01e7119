package install

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"steward/internal/automation"
	"steward/internal/install/npm"
	"steward/internal/install/prefix"
	"steward/internal/store"
)

// lockFile is where the hashes of a Python package stay in its folder, beside what they are of.
const lockFile = "steward-lock.json"

// Build fills a fresh folder with a release and seals it. Nothing of the package runs. The folder is where it stays:
// a virtual environment cannot be moved.
func (i *Installer) Build(ctx context.Context, h Hold, release automation.PackageRelease) (automation.PackageBuilt, error) {
	out := automation.PackageBuilt{PackageID: h.Package, Version: release.Version}
	row, err := i.held(ctx, h)
	if err != nil || row.Runtime == Remote {
		return out, err
	}
	home, remove, err := scratch()
	if err != nil {
		return out, err
	}
	defer remove()
	if out.Folder, err = i.claim(ctx, h, row, release.Version); err != nil {
		return out, err
	}
	folder := filepath.Join(i.opts.Folder, out.Folder)
	if row.Runtime == Python {
		out.Entry, err = i.buildPython(ctx, row, folder, home, release.Version)
	} else {
		out.Entry, out.Scripts, err = i.buildNode(ctx, row, folder, home, release)
	}
	if err == nil {
		err = prefix.Own(ctx, folder)
	}
	if err == nil {
		out.Integrity, err = prefix.Digest(ctx, folder)
	}
	if err != nil {
		_ = os.RemoveAll(folder) // Sweep does it otherwise
		return out, err
	}
	return out, nil
}

// claim names a new folder in the row and makes it then: a folder that no row names may be swept.
func (i *Installer) claim(ctx context.Context, h Hold, row *store.Package, version string) (string, error) {
	name := path.Join(row.ServerName, version+"-"+strings.ToLower(rand.Text()[:8]))
	n, err := i.db.SetPackageNext(ctx, store.SetPackageNextParams{ID: h.Package, WorkflowID: h.Workflow, NextFolder: name, Stage: "installing"})
	if err != nil {
		return "", fmt.Errorf("claim package folder: %w", err)
	}
	if n == 0 {
		return "", errLost
	}
	if row.NextFolder != "" { // of an attempt that died
		_ = os.RemoveAll(filepath.Join(i.opts.Folder, row.NextFolder))
	}
	if err := os.MkdirAll(filepath.Join(i.opts.Folder, name), 0o755); err != nil { //nolint:gosec // G301: servers read it as somebody else
		return "", fmt.Errorf("make package folder: %w", err)
	}
	return name, nil
}

func (i *Installer) buildNode(ctx context.Context, row *store.Package, folder, home string, r automation.PackageRelease) (entry, scripts []string, err error) {
	if err := i.npm.Install(ctx, folder, home, row.Name, r.Version, r.Before); err != nil {
		return nil, nil, err
	}
	in, err := npm.Inspect(folder, row.Name)
	return []string{in.Entry}, in.Scripts, err
}

func (i *Installer) buildPython(ctx context.Context, row *store.Package, folder, home, version string) ([]string, error) {
	s, err := openSettings(i.ring, row.ServerName, row.SettingsSealed)
	if err != nil {
		return nil, err
	}
	want, err := askedFor(row)
	if err != nil {
		return nil, err
	}
	if err := i.python.Make(ctx, folder, home); err != nil {
		return nil, err
	}
	lock, err := i.python.Resolve(ctx, folder, home, row.Name, version, s.Index)
	if err != nil {
		return nil, err
	}
	if err := i.python.Install(ctx, folder, home, lock, s.Index); err != nil {
		return nil, err
	}
	doc, err := json.MarshalIndent(lock, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode lock: %w", err)
	}
	if err := os.WriteFile(filepath.Join(folder, lockFile), doc, 0o644); err != nil { //nolint:gosec // G306: no secrets
		return nil, fmt.Errorf("write lock: %w", err)
	}
	return pythonEntry(folder, want.Module)
}
