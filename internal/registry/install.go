package registry

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"

	"steward/internal/mcpclient"
	"steward/internal/registry/input"
	"steward/internal/secret"
	"steward/internal/store"
)

// CheckInstall applies the rules of servers to one that comes as a package, before anything is downloaded: those of
// Add for an admin. The error is an Invalid fault with locations in the body.
func (r *Registry) CheckInstall(ctx context.Context, s Server) error {
	wrong := s.check()
	if err := wrong.fault(); err != nil {
		return err
	}
	return r.checkURL(ctx, &s, "", true)
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
	wrong := s.check()
	if err := wrong.fault(); err != nil {
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
	now, err := r.released(before, s)
	if err != nil {
		return nil, err
	}
	wrong := now.check()
	if err := wrong.fault(); err != nil {
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

// released is what is registered now with the program of another version.
func (r *Registry) released(row *store.MCPServer, s Server) (Server, error) {
	now, err := r.decoded(row)
	now.Command, now.Args, now.Release = s.Command, s.Args, s.Release
	return now, err
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

// Try starts the program of s once, confined as it will be later and with folder to read, and asks for its tools. With
// an ID it gets what is saved for the server now. Nothing is stored, and the session ends with it. The error is an
// *mcpclient.Error, or a fault for what is not there or not filled in.
func (r *Registry) Try(ctx context.Context, s Server, folder string) ([]mcpclient.Tool, error) {
	if s.ID != 0 {
		row, err := r.db.ReadServer(ctx, s.ID)
		if store.IsNoRows(err) {
			return nil, errAbsent
		}
		if err != nil {
			return nil, fmt.Errorf("read server: %w", err)
		}
		if s, err = r.released(row, s); err != nil {
			return nil, err
		}
	}
	env, err := input.Fill(s.EnvSchema, func(name string) secret.String { return s.Env[name] })
	if err != nil {
		return nil, needs(&store.MCPServer{Name: s.Name}, err)
	}
	all := map[string]secret.String{}
	maps.Copy(all, s.Env)
	maps.Copy(all, env)
	t := aim{
		Target: mcpclient.Target{Key: mcpclient.Key{Owner: "(try) " + rand.Text()}, Name: s.Name},
		saved:  &settings{env: all, envInputs: s.EnvSchema},
	}
	t.Stdio = r.child(t.Key, s.Command, s.Args, s.Env, all, folder)
	defer r.pool.Drop(t.Key)
	tools, err := r.pool.Tools(ctx, t.Target)
	return tools, t.quieted(err)
}
