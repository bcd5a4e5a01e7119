package registry

import (
	"context"
	"crypto/rand"
	"fmt"

	"steward/internal/mcpclient"
	"steward/internal/store"
)

// CheckInstall applies the rules of servers to one that comes as a package, before anything is downloaded. The error
// is an Invalid fault with locations in the body.
func (r *Registry) CheckInstall(s Server) error {
	wrong := s.check()
	return wrong.fault()
}

// PutInstalled stores the server of a package in q's transaction: an admin's. With an ID it is another version of
// what is there: command, arguments and release are replaced; what the admin has set, and what was agreed to of its
// tools, stays, so that tools which changed with the version are quarantined. Faults: Invalid, Conflict for a name that
// is taken, NotFound.
func (r *Registry) PutInstalled(ctx context.Context, q *store.Queries, s Server) (*store.MCPServer, error) {
	if s.ID != 0 {
		return r.reinstall(ctx, q, s)
	}
	s.Private = false
	s.declare()
	if err := r.CheckInstall(s); err != nil {
		return nil, err
	}
	row, err := encoded(r.ring, nil, s)
	if err != nil {
		return nil, err
	}
	added, err := insert(ctx, q, "", row)
	if err != nil {
		return nil, taken(err, s.Name)
	}
	return added, q.Announce(ctx, changeOf(added))
}

func (r *Registry) reinstall(ctx context.Context, q *store.Queries, s Server) (*store.MCPServer, error) {
	before, err := q.LockServer(ctx, s.ID)
	if store.IsNoRows(err) {
		return nil, errAbsent
	}
	if err != nil {
		return nil, fmt.Errorf("lock server: %w", err)
	}
	now, err := r.decoded(before)
	if err != nil {
		return nil, err
	}
	now.Command, now.Args, now.Release = s.Command, s.Args, s.Release
	if err := r.CheckInstall(now); err != nil {
		return nil, err
	}
	row, err := encoded(r.ring, before.Owner, now)
	if err != nil {
		return nil, err
	}
	changed, err := q.UpdateServer(ctx, update(s.ID, row))
	if err != nil {
		return nil, fmt.Errorf("update server: %w", err)
	}
	return changed, q.Announce(ctx, changeOf(changed))
}

// RemoveInstalled forgets the server of a package that is being uninstalled, in q's transaction, with everything that
// was saved for it. One that is gone already is no error.
func (r *Registry) RemoveInstalled(ctx context.Context, q *store.Queries, id int64) error {
	if err := forgetSaved(ctx, q, id, &forgot{}); err != nil {
		return err
	}
	if err := q.DeleteServer(ctx, id); err != nil {
		return fmt.Errorf("delete server: %w", err)
	}
	return q.Announce(ctx, store.Change{Kind: store.ServerChanged, Server: id})
}

// Try starts s once, confined as it will be later and with folder to read, and asks for its tools. Nothing is stored,
// and the session ends with it. The error is an *mcpclient.Error.
func (r *Registry) Try(ctx context.Context, s Server, folder string) ([]mcpclient.Tool, error) {
	t := mcpclient.Target{Key: mcpclient.Key{Owner: "(try) " + rand.Text()}, Name: s.Name}
	if s.Transport == transportHTTP {
		t.HTTP = &mcpclient.HTTP{URL: s.URL, Header: s.Headers, Client: r.client, Reconnect: s.Reconnect.pace()}
	} else {
		var err error
		if t.Stdio, err = r.child(t.Key, s.Command, s.Args, s.Env, s.Env); err != nil {
			return nil, err
		}
		t.Stdio.Sandbox.Read = append(t.Stdio.Sandbox.Read, folder)
	}
	defer r.pool.Drop(t.Key)
	return r.pool.Tools(ctx, t)
}
