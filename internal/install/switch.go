package install

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"steward/internal/audit"
	"steward/internal/automation"
	"steward/internal/install/prefix"
	"steward/internal/store"
)

// Switch registers what was built and tried, in one transaction with the package's row. The folder of the version
// before is kept until the next upgrade: what runs from it may finish, and there is a way back.
func (i *Installer) Switch(ctx context.Context, h Hold, built automation.PackageBuilt) error {
	row, err := i.db.GetPackage(ctx, h.Package)
	if err != nil && !store.IsNoRows(err) {
		return fmt.Errorf("read package: %w", err)
	}
	if err == nil && row.WorkflowID == h.Workflow && row.Status == Installed && row.Folder == built.Folder {
		return nil // an attempt before this one has done it
	}
	if row, err = i.reach(ctx, h, "switching"); err != nil {
		return err
	}
	lock, err := i.lock(ctx, row, built)
	if err != nil {
		return err
	}
	server, s, err := i.server(row, built)
	if err != nil {
		return err
	}
	index, err := settings{Index: s.Index}.seal(i.ring, row.ServerName)
	if err != nil {
		return err
	}
	err = i.db.Tx(ctx, func(q *store.Queries) error {
		registered, err := i.servers.PutInstalled(ctx, q, server)
		if err != nil {
			return err
		}
		n, err := q.SwitchPackage(ctx, store.SwitchPackageParams{
			ID: row.ID, WorkflowID: h.Workflow, ServerID: registered.ID, Version: built.Version, Folder: built.Folder, Entry: orEmpty(built.Entry),
			Integrity: built.Integrity, Lock: lock, Scripts: orEmpty(built.Scripts), SettingsSealed: index,
		})
		if err != nil {
			return fmt.Errorf("switch package: %w", err)
		}
		if n == 0 {
			return errLost
		}
		return settled(ctx, q, h, row, map[string]any{
			"outcome": "installed", "version": built.Version, "before": row.Version, "integrity": built.Integrity, "scripts_not_run": built.Scripts,
		})
	})
	if err != nil {
		return fmt.Errorf("switch to package: %w", err)
	}
	if row.PreviousFolder != "" {
		_ = os.RemoveAll(filepath.Join(i.opts.Folder, row.PreviousFolder)) // Sweep does it otherwise
	}
	return nil
}

// lock reads what was resolved back from the folder, after making sure that nobody has touched it since it was built.
func (i *Installer) lock(ctx context.Context, row *store.Package, built automation.PackageBuilt) (json.RawMessage, error) {
	name := "package-lock.json"
	switch row.Runtime {
	case Remote:
		return nil, nil
	case Python:
		name = lockFile
	}
	folder := filepath.Join(i.opts.Folder, built.Folder)
	digest, err := prefix.Digest(ctx, folder)
	if err != nil {
		return nil, err
	}
	if digest != built.Integrity {
		return nil, prefix.ErrChanged
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, fmt.Errorf("open package folder: %w", err)
	}
	defer func() { _ = root.Close() }()
	doc, err := root.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("read lock file: %w", err)
	}
	return doc, nil
}

// settled writes the end of a change into the audit log.
func settled(ctx context.Context, q *store.Queries, h Hold, row *store.Package, body map[string]any) error {
	body["package"], body["server"], body["workflow_id"] = row.Name, row.ServerName, h.Workflow
	return audit.Put(ctx, q, audit.Event{
		Chain: automation.AuditSystem, Key: h.Workflow + "/settled", Kind: audit.PackageSettled, Actor: "worker", Body: body,
	})
}

func orEmpty(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}
