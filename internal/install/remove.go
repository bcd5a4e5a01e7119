package install

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"steward/internal/fault"
	"steward/internal/launch/process"
	"steward/internal/store"
)

// Remove leaves nothing of a package: first the server goes, with its sessions and what users stored for it, then the
// folders, and last the row, which until then says what is still to be done.
func (i *Installer) Remove(ctx context.Context, h Hold) error {
	row, err := i.reach(ctx, h, "removing")
	if errors.Is(err, errLost) {
		if _, found := i.db.GetPackage(ctx, h.Package); store.IsNoRows(found) {
			return nil // an attempt before this one has done it
		}
	}
	if err != nil {
		return err
	}
	if row.ServerID != nil {
		if err := i.removeServer(ctx, *row.ServerID); err != nil {
			return err
		}
	}
	if err := i.discard(row.ServerName); err != nil {
		return err
	}
	return i.db.Tx(ctx, func(q *store.Queries) error {
		n, err := q.DeletePackage(ctx, store.DeletePackageParams{ID: row.ID, WorkflowID: h.Workflow})
		if err != nil {
			return fmt.Errorf("delete package: %w", err)
		}
		if n == 0 {
			return errLost
		}
		return settled(ctx, q, h, row, map[string]any{"outcome": "removed", "version": row.Version})
	})
}

// removeServer forgets the server and what it kept: once before, because with the row the number is gone that says
// where that is, and once after, because until then it may have been started.
func (i *Installer) removeServer(ctx context.Context, id int64) error {
	kept := process.StateFolder(i.opts.Data, id)
	before := os.RemoveAll(kept)
	if before == nil {
		err := i.db.Tx(ctx, func(q *store.Queries) error { return i.servers.RemoveInstalled(ctx, q, id) })
		if err != nil {
			return fmt.Errorf("remove server of package: %w", err)
		}
	}
	if err := errors.Join(before, os.RemoveAll(kept)); err != nil {
		return fmt.Errorf("remove what the server kept: %w", err)
	}
	return nil
}

// discard removes every folder of a server's packages.
func (i *Installer) discard(serverName string) error {
	if serverName == "" || !filepath.IsLocal(serverName) { // the row's grammar forbids it; RemoveAll forgives nothing
		return fault.New(fault.Internal, "the package's server has no name that could be a folder")
	}
	if err := os.RemoveAll(filepath.Join(i.opts.Folder, serverName)); err != nil {
		return fmt.Errorf("remove package folder: %w", err)
	}
	return nil
}

// Fail ends a change that did not come about: what ran before goes on running, and what was begun is removed.
func (i *Installer) Fail(ctx context.Context, h Hold, code, message string) error {
	row, err := i.held(ctx, h)
	if errors.Is(err, errLost) {
		return nil // it was over, or the reconciler was faster
	}
	if err != nil {
		return err
	}
	err = i.db.Tx(ctx, func(q *store.Queries) error {
		n, err := q.FailPackage(ctx, store.FailPackageParams{ID: row.ID, WorkflowID: h.Workflow, Error: message, ErrorCode: code})
		if err != nil {
			return fmt.Errorf("fail package: %w", err)
		}
		if n == 0 {
			return nil
		}
		return settled(ctx, q, h, row, map[string]any{"outcome": "failed", "code": code, "reason": message})
	})
	if err == nil && row.NextFolder != "" {
		_ = os.RemoveAll(filepath.Join(i.opts.Folder, row.NextFolder)) // Sweep does it otherwise
	}
	return err
}
