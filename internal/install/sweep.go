package install

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
)

// Sweep removes the folders that no package names: what a killed attempt had begun. It is done when a worker starts;
// others may be installing meanwhile.
func (i *Installer) Sweep(ctx context.Context) error {
	// The folders are listed before the rows: one that is made afterwards is named by then.
	there, err := i.folders()
	if err != nil {
		return err
	}
	rows, err := i.db.ListPackageFolders(ctx)
	if err != nil {
		return fmt.Errorf("list package folders: %w", err)
	}
	named := map[string]bool{}
	for _, r := range rows {
		named[r.Folder], named[r.PreviousFolder], named[r.NextFolder] = true, true, true
	}
	var failed []error
	for _, folder := range there {
		if named[folder] {
			continue
		}
		i.log.InfoContext(ctx, "removing what an interrupted installation left", "folder", folder)
		failed = append(failed, os.RemoveAll(filepath.Join(i.opts.Folder, filepath.FromSlash(folder))))
		_ = os.Remove(filepath.Join(i.opts.Folder, path.Dir(folder))) // only if it is empty now
	}
	return errors.Join(failed...)
}

// folders lists server/version below the packages folder.
func (i *Installer) folders() ([]string, error) {
	root, err := os.OpenRoot(i.opts.Folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("open packages folder: %w", err)
	}
	defer func() { _ = root.Close() }()
	found, err := fs.Glob(root.FS(), "*/*")
	if err != nil {
		return nil, fmt.Errorf("list packages folder: %w", err)
	}
	return found, nil
}
