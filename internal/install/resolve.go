package install

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"steward/internal/automation"
	"steward/internal/install/npm"
	"steward/internal/store"
)

// besides is how long after a release its own parts may have been published: those of one repository come one by one.
const besides = time.Hour

// Resolve settles on one exact version, once, and checks that this machine can run it.
func (i *Installer) Resolve(ctx context.Context, h Hold, wanted string) (automation.PackageRelease, error) {
	row, err := i.reach(ctx, h, "resolving")
	if err != nil {
		return automation.PackageRelease{}, err
	}
	switch row.Runtime {
	case Remote:
		return automation.PackageRelease{Version: cmp.Or(wanted, row.Version)}, nil // nobody knows a newer one
	case Python:
		if wanted != "" {
			return automation.PackageRelease{Version: wanted}, nil
		}
		version, err := i.newestWheel(ctx, row)
		return automation.PackageRelease{Version: version}, err
	}
	home, remove, err := scratch()
	if err != nil {
		return automation.PackageRelease{}, err
	}
	defer remove()
	before := time.Now().Add(-i.opts.MinAge)
	release, err := i.release(ctx, home, row.Name, wanted, before)
	if err != nil {
		return automation.PackageRelease{}, err
	}
	node, err := i.npm.Version(ctx)
	if err != nil {
		return automation.PackageRelease{}, err
	}
	if err := npm.CheckEngine(row.Name+" "+release.Version, release.Node, node); err != nil {
		return automation.PackageRelease{}, err
	}
	// A version that somebody named may be younger than what is picked by itself; so may what came with it.
	if young := release.Published.Add(besides); young.After(before) {
		before = young
	}
	return automation.PackageRelease{Version: release.Version, Before: before.UTC().Truncate(time.Second)}, nil
}

func (i *Installer) release(ctx context.Context, home, name, wanted string, before time.Time) (npm.Release, error) {
	if wanted == "" {
		return i.npm.Latest(ctx, home, name, before)
	}
	return i.npm.Exact(ctx, home, name, wanted)
}

// newestWheel is the newest version of a Python package that fits this machine's Python.
func (i *Installer) newestWheel(ctx context.Context, row *store.Package) (string, error) {
	s, err := openSettings(i.ring, row.ServerName, row.SettingsSealed)
	if err != nil {
		return "", err
	}
	home, remove, err := scratch()
	if err != nil {
		return "", err
	}
	defer remove()
	folder := filepath.Join(home, "fit")
	if err := os.Mkdir(folder, 0o700); err != nil {
		return "", fmt.Errorf("make scratch folder: %w", err)
	}
	if err := i.python.Make(ctx, folder, home); err != nil {
		return "", err
	}
	lock, err := i.python.Resolve(ctx, folder, home, row.Name, "", s.Index)
	if err != nil {
		return "", err
	}
	return lock[0].Version, nil
}

// Check asks the package's index for its newest version and stores it. A server that runs elsewhere has none.
func (i *Installer) Check(ctx context.Context, id int64) error {
	row, err := i.db.GetPackage(ctx, id)
	if store.IsNoRows(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read package: %w", err)
	}
	var version string
	switch row.Runtime {
	case Remote:
		return nil
	case Python:
		version, err = i.newestWheel(ctx, row)
	default:
		version, err = i.newestRelease(ctx, row.Name)
	}
	if err != nil {
		return err
	}
	if err := i.db.SetPackageLatest(ctx, store.SetPackageLatestParams{ID: id, Latest: version}); err != nil {
		return fmt.Errorf("store newest version: %w", err)
	}
	return nil
}

func (i *Installer) newestRelease(ctx context.Context, name string) (string, error) {
	home, remove, err := scratch()
	if err != nil {
		return "", err
	}
	defer remove()
	release, err := i.npm.Latest(ctx, home, name, time.Now().Add(-i.opts.MinAge))
	return release.Version, err
}
