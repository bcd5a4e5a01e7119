package registry

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"time"

	"steward/internal/audit"
	"steward/internal/auth"
	"steward/internal/fault"
	"steward/internal/registry/input"
	"steward/internal/secret"
	"steward/internal/store"
)

// Patch changes what is set in it and nothing else.
type Patch struct {
	Title, Description, WebsiteURL, Release *string
	Tags                                    *[]string
	Transport, Command, Image, URL          *string
	Args                                    *[]string
	Env, Headers                            *map[string]secret.String
	EnvSchema, HeaderSchema                 *[]input.Field
	Reconnect                               *Reconnect
	SessionID                               secret.String
	Timeout                                 *time.Duration
	Trusted, Enabled                        *bool
	AuthProvider                            *string
	Manifest                                json.RawMessage
}

// Change applies a patch and ends the sessions that were opened with other settings, in every process. A server
// that is reached another way afterwards is another server: its tools are agreed to as they are first seen. What was
// saved for the URL that it had is forgotten with the URL, whoever saved it (security.md T-16). The faults are Add's,
// and NotFound.
func (r *Registry) Change(ctx context.Context, p auth.Principal, id int64, patch Patch) (*store.MCPServer, error) {
	return r.change(ctx, p, id, func(s *Server) error {
		patch.Apply(s)
		if err := permit(p, s); err != nil {
			return err
		}
		s.declare()
		wrong := s.check()
		if err := wrong.fault(); err != nil {
			return err
		}
		return r.checkURL(ctx, s, p.Owner, p.Can(auth.ServersAdmin))
	})
}

// SetEnabled lets a server be called or not. The faults are Change's.
func (r *Registry) SetEnabled(ctx context.Context, p auth.Principal, id int64, enabled bool) (*store.MCPServer, error) {
	return r.change(ctx, p, id, func(s *Server) error {
		s.Disabled = !enabled
		return nil
	})
}

// change lets edit have a server's settings, and stores what becomes of them. edit must not wait for anybody but DNS.
func (r *Registry) change(ctx context.Context, p auth.Principal, id int64, edit func(*Server) error) (*store.MCPServer, error) {
	var changed *store.MCPServer
	for {
		before, err := r.fresh(ctx, p.Owner, id)
		if err != nil {
			return nil, err
		}
		if err := mayChange(p, before); err != nil {
			return nil, err
		}
		s, err := r.decoded(before)
		if err != nil {
			return nil, err
		}
		old := s
		if err := edit(&s); err != nil {
			return nil, err
		}
		if changed, err = r.replace(ctx, p, before, old, s); err != nil {
			return nil, err
		}
		if changed != nil {
			break // else somebody else was faster: look again at what there is now
		}
	}
	r.heard(changeOf(changed))
	return changed, nil
}

// fresh reads a server that owner sees from the database, nil if there is none.
func (r *Registry) fresh(ctx context.Context, owner string, id int64) (*store.MCPServer, error) {
	row, err := r.db.GetServer(ctx, store.GetServerParams{ID: id, Owner: owner})
	if store.IsNoRows(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read server: %w", err)
	}
	return row, nil
}

// replace stores a server's new settings, unless they are no longer those that were edited: then it returns nil.
func (r *Registry) replace(ctx context.Context, p auth.Principal, before *store.MCPServer, old, s Server) (changed *store.MCPServer, err error) {
	err = r.db.Tx(ctx, func(q *store.Queries) error {
		now, err := q.LockServer(ctx, before.ID)
		if store.IsNoRows(err) {
			return errAbsent
		}
		if err != nil {
			return fmt.Errorf("lock server: %w", err)
		}
		if !now.UpdatedAt.Equal(before.UpdatedAt) {
			return nil
		}
		if err := ofPackage(ctx, q, before, old, s); err != nil {
			return err
		}
		lost, err := forget(ctx, q, before, old, s)
		if err != nil {
			return err
		}
		row, err := encoded(r.ring, before.Owner, s)
		if err != nil {
			return err
		}
		next := update(before.ID, row)
		next.SessionsStay = alike(old, s)
		if changed, err = q.UpdateServer(ctx, next); err != nil {
			return fmt.Errorf("update server: %w", err)
		}
		event, err := r.eventOf(audit.ServerChanged, p, changed, lost)
		if err != nil {
			return err
		}
		if err := audit.Put(ctx, q, event); err != nil {
			return err
		}
		if err := r.keepSession(ctx, q, p.Owner, changed, s.SessionID); err != nil {
			return err
		}
		return q.Announce(ctx, changeOf(changed))
	})
	return changed, err
}

// forget drops what belongs to the server that this one was.
func forget(ctx context.Context, q *store.Queries, before *store.MCPServer, old, s Server) (*forgot, error) {
	if another(old, s) {
		if err := q.DeleteServerTools(ctx, before.ID); err != nil {
			return nil, fmt.Errorf("forget tools: %w", err)
		}
	}
	if old.URL == s.URL {
		return nil, nil
	}
	lost := &forgot{Headers: len(old.Headers)}
	return lost, forgetSaved(ctx, q, before.ID, lost)
}

// another says that what is called is another program or address.
func another(old, s Server) bool {
	return old.Transport != s.Transport || old.Command != s.Command || !slices.Equal(old.Args, s.Args) || old.Image != s.Image || old.URL != s.URL
}

// alike says that only what describes a server to people differs, or the time of calls: its sessions know nothing of it.
func alike(a, b Server) bool {
	for _, s := range []*Server{&a, &b} {
		s.Title, s.Description, s.WebsiteURL, s.Release, s.Tags, s.Manifest, s.Timeout = "", "", "", "", nil, nil, 0
	}
	return reflect.DeepEqual(a, b)
}

// forgetSaved deletes what users have saved for a server.
func forgetSaved(ctx context.Context, q *store.Queries, server int64, lost *forgot) (err error) {
	if lost.Credentials, err = q.ForgetServerCredentials(ctx, server); err != nil {
		return fmt.Errorf("forget credentials: %w", err)
	}
	if lost.Secrets, err = q.ForgetServerSecrets(ctx, server); err != nil {
		return fmt.Errorf("forget secrets: %w", err)
	}
	for _, drop := range []func(context.Context, int64) error{q.ForgetServerFlows, q.ForgetServerAuthority, q.ForgetServerSessions} {
		if err := drop(ctx, server); err != nil {
			return fmt.Errorf("forget what is saved for a server: %w", err)
		}
	}
	return q.Announce(ctx, store.Change{Kind: store.SecretChanged, Server: server})
}

// CodePackageServer is the code of the fault for what is a package's to decide.
const CodePackageServer = "package_server"

// ofPackage refuses to run something else under the name of an installed package: what is installed is verified, and
// what is run must be that.
func ofPackage(ctx context.Context, q *store.Queries, before *store.MCPServer, old, s Server) error {
	if old.Transport == s.Transport && old.Command == s.Command && slices.Equal(old.Args, s.Args) {
		return nil
	}
	name, err := q.PackageOfServer(ctx, before.ID)
	switch {
	case store.IsNoRows(err):
		return nil
	case err != nil:
		return fmt.Errorf("read package of server: %w", err)
	}
	return fault.New(fault.Conflict, "the server belongs to the package %s, which decides what is run: upgrade or uninstall that", name).WithCode(CodePackageServer)
}

// Apply sets what the patch has. What is only for the other transport goes with the transport, and what was saved for
// a URL goes with the URL.
func (c *Patch) Apply(s *Server) {
	url, transport := s.URL, s.Transport
	set(&s.Transport, c.Transport)
	if s.Transport != transport {
		s.Command, s.Args, s.Env, s.EnvSchema = "", nil, nil, nil
		s.URL, s.Headers, s.HeaderSchema, s.Reconnect = "", nil, nil, Reconnect{}
	}
	set(&s.URL, c.URL)
	if s.URL != url {
		s.Headers, s.AuthProvider = nil, ""
	}
	set(&s.Title, c.Title)
	set(&s.Description, c.Description)
	set(&s.WebsiteURL, c.WebsiteURL)
	set(&s.Release, c.Release)
	set(&s.Tags, c.Tags)
	set(&s.Command, c.Command)
	set(&s.Args, c.Args)
	set(&s.Image, c.Image)
	declared := s.Env[authType]
	s.Env, s.Headers = kept(s.Name, s.Env, c.Env), kept(s.Name, s.Headers, c.Headers)
	if !declared.IsZero() && s.Env[authType].IsZero() {
		s.AuthProvider = ""
	}
	set(&s.EnvSchema, c.EnvSchema)
	set(&s.HeaderSchema, c.HeaderSchema)
	set(&s.Reconnect, c.Reconnect)
	set(&s.Timeout, c.Timeout)
	set(&s.Trusted, c.Trusted)
	set(&s.AuthProvider, c.AuthProvider)
	if c.Enabled != nil {
		s.Disabled = !*c.Enabled
	}
	if len(c.Manifest) > 0 {
		s.Manifest = c.Manifest
	}
	s.SessionID = c.SessionID
}

func set[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}
