package app

import (
	"context"
	"net/url"
	"os"
	"path/filepath"

	"steward/activities"
	"steward/internal/auth"
	"steward/internal/fault"
	"steward/internal/idempotency"
	"steward/internal/install"
	"steward/internal/registry"
)

// packagesFolder is where packages are, as children see it.
func (s *shared) packagesFolder() (string, error) {
	folder, err := filepath.Abs(s.cfg.Launch.Packages)
	if err != nil {
		return "", fault.Wrap(err, fault.Invalid, "settings: STEWARD_PACKAGES is no folder").WithCode("invalid_settings")
	}
	return folder, nil
}

// newPackageWork is what a worker does for packages: package managers run there alone.
func (s *shared) newPackageWork(ctx context.Context) (*activities.Package, error) {
	folder, err := s.packagesFolder()
	if err != nil {
		return nil, err
	}
	installer, err := install.NewInstaller(s.db, s.ring, s.registry, install.Options{
		Folder: folder, Data: s.cfg.Data, Node: s.cfg.Launch.Node, Python: s.cfg.Launch.Python, MinAge: s.cfg.Launch.MinAge, Environ: os.Environ(),
	}, s.log)
	if err != nil {
		return nil, err
	}
	if err := installer.Sweep(ctx); err != nil { // the database may be away: the next worker sweeps
		s.log.WarnContext(ctx, "what interrupted installations left is not removed", "error", err)
	}
	return activities.NewPackage(installer, s.log)
}

// importPackage accepts the package of a server.json and says where to follow it.
func (s *shared) importPackage(ctx context.Context, p auth.Principal, pkg registry.Package, once idempotency.Once) (path string, replayed bool, err error) {
	c, err := s.packages.Import(ctx, p, pkg, once)
	if err != nil {
		return "", false, err
	}
	return "/packages/by-id/" + url.PathEscape(pkg.Server.Name), c.Replayed, nil
}
