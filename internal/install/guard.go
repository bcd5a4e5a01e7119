package install

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"steward/internal/install/prefix"
	"steward/internal/store"
)

// Guard lets nothing start from a package's folder that is not as it was installed.
type Guard struct {
	db       *store.DB
	folder   string
	verifier *prefix.Verifier
}

// NewGuard guards the packages below folder.
func NewGuard(db *store.DB, folder string) (*Guard, error) {
	if db == nil || folder == "" {
		return nil, errors.New("install: database and packages folder are required")
	}
	return &Guard{db: db, folder: folder, verifier: prefix.NewVerifier()}, nil
}

// Check compares the files of the server's package with what was installed: all of them the first time, later those
// whose metadata has changed. It returns nil for a server that is no package, and a fault of package prefix for one
// that must not start.
func (g *Guard) Check(ctx context.Context, server int64) error {
	p, err := g.db.GetServerPackage(ctx, server)
	if store.IsNoRows(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read package: %w", err)
	}
	if p.Folder == "" { // nothing of it runs here
		return nil
	}
	return g.verifier.Verify(ctx, filepath.Join(g.folder, p.Folder), p.Integrity)
}
