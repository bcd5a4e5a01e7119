package registry

import (
	"context"
	"fmt"

	"steward/internal/audit"
	"steward/internal/auth"
	"steward/internal/fault"
	"steward/internal/store"
)

// Remove forgets a server with everything that was saved for it, and ends its sessions in every process. Runs that
// have called it keep their records. Faults: NotFound, Forbidden, and Conflict for the server of an installed
// package, which is uninstalled instead.
func (r *Registry) Remove(ctx context.Context, p auth.Principal, id int64) error {
	row, err := r.fresh(ctx, p.Owner, id)
	if err != nil {
		return err
	}
	if err := mayChange(p, row); err != nil {
		return err
	}
	gone := store.Change{Kind: store.ServerChanged, Server: id}
	err = r.db.Tx(ctx, func(q *store.Queries) error {
		if row, err = q.LockServer(ctx, id); err != nil {
			if store.IsNoRows(err) {
				return errAbsent
			}
			return fmt.Errorf("lock server: %w", err)
		}
		switch name, err := q.PackageOfServer(ctx, id); {
		case err == nil:
			return fault.New(fault.Conflict, "the server belongs to the package %s: uninstall that", name).WithCode(CodePackageServer)
		case !store.IsNoRows(err):
			return fmt.Errorf("read package of server: %w", err)
		}
		o, err := r.settings(row)
		if err != nil {
			return err
		}
		lost := &forgot{Headers: len(o.headers)}
		if err := forgetSaved(ctx, q, id, lost); err != nil {
			return err
		}
		event, err := r.eventOf(audit.ServerRemoved, p, row, lost)
		if err != nil {
			return err
		}
		if err := audit.Put(ctx, q, event); err != nil {
			return err
		}
		if err := q.DeleteServer(ctx, id); err != nil {
			return fmt.Errorf("delete server: %w", err)
		}
		return q.Announce(ctx, gone)
	})
	if err != nil {
		return err
	}
	r.heard(gone)
	return nil
}
