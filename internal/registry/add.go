package registry

import (
	"context"
	"fmt"
	"net/http"

	"steward/internal/audit"
	"steward/internal/auth"
	"steward/internal/fault"
	"steward/internal/idempotency"
	"steward/internal/mcpclient"
	"steward/internal/secret"
	"steward/internal/store"
)

// Codes of the faults of Add.
const (
	CodeNameTaken = "name_taken" // the caller sees the name on another server
	CodeTooMany   = "too_many_servers"
)

// mostOwn is how many servers one user may have for that user alone.
const mostOwn = 50

// Add registers a server: an admin's for everybody, unless it is Private; a user's for that user alone. Faults:
// Forbidden for what needs an admin, Invalid with the fields, Conflict for a name that the caller sees already,
// and for more servers than one user may have. Replayed means that the same Idempotency-Key had added it before.
func (r *Registry) Add(ctx context.Context, p auth.Principal, s Server, once idempotency.Once) (added *store.MCPServer, replayed bool, err error) {
	if !p.Can(auth.ServersAdmin) {
		s.Private = true
	}
	if err := permit(p, &s); err != nil {
		return nil, false, err
	}
	s.declare()
	wrong := s.check()
	if err := wrong.fault(); err != nil {
		return nil, false, err
	}
	if err := r.checkURL(ctx, &s, p.Owner, p.Can(auth.ServersAdmin)); err != nil {
		return nil, false, err
	}
	var owner *string
	if s.Private {
		owner = &p.Owner
	}
	row, err := encoded(r.ring, owner, s)
	if err != nil {
		return nil, false, err
	}
	err = r.db.Tx(ctx, func(q *store.Queries) error {
		var id int64
		if replayed, err = once.Find(ctx, q, p.Owner, &id); err != nil {
			return err
		}
		if replayed {
			added, err = q.GetServer(ctx, store.GetServerParams{ID: id, Owner: p.Owner})
			if store.IsNoRows(err) {
				return fault.New(fault.Conflict, "the server that this Idempotency-Key added is gone").WithCode("idempotency_gone")
			}
			return err
		}
		if added, err = insert(ctx, q, p.Owner, row); err != nil {
			return err
		}
		event, err := r.eventOf(audit.ServerAdded, p, added, nil)
		if err != nil {
			return err
		}
		if err := audit.Put(ctx, q, event); err != nil {
			return err
		}
		if err := r.keepSession(ctx, q, p.Owner, added, s.SessionID); err != nil {
			return err
		}
		if err := once.Keep(ctx, q, p.Owner, http.StatusCreated, added.ID); err != nil {
			return err
		}
		return q.Announce(ctx, changeOf(added))
	})
	if err != nil {
		return nil, false, taken(err, s.Name)
	}
	r.heard(changeOf(added))
	return added, replayed, nil
}

// insert adds a row under a name that whoever adds it does not see on another.
func insert(ctx context.Context, q *store.Queries, viewer string, row store.InsertServerParams) (*store.MCPServer, error) {
	if row.Owner != nil {
		if err := q.LockOwnServers(ctx, *row.Owner); err != nil {
			return nil, fmt.Errorf("lock servers of a user: %w", err)
		}
	}
	visible, err := q.ListVisibleServers(ctx, viewer)
	if err != nil {
		return nil, fmt.Errorf("list servers: %w", err)
	}
	own := 0
	for _, other := range visible {
		if other.Name == row.Name {
			return nil, nameTaken(row.Name)
		}
		if other.Owner != nil {
			own++
		}
	}
	if row.Owner != nil && own >= mostOwn {
		return nil, fault.New(fault.Conflict, "there are %d servers of yours already: remove one first", mostOwn).WithCode(CodeTooMany)
	}
	added, err := q.InsertServer(ctx, row)
	if err != nil {
		return nil, fmt.Errorf("insert server: %w", err)
	}
	return added, nil
}

func nameTaken(name string) error {
	return fault.New(fault.Conflict, "Server with name %s already exists", name).WithCode(CodeNameTaken)
}

// taken turns the loss of a race for a name into the fault that the loser would have got a moment later.
func taken(err error, name string) error {
	if store.IsUnique(err) {
		return nameTaken(name)
	}
	return err
}

// changeOf announces a server's row as it is now.
func changeOf(row *store.MCPServer) store.Change {
	c := store.Change{Kind: store.ServerChanged, Server: row.ID, Version: row.Version}
	if row.Owner != nil {
		c.Owner = *row.Owner
	}
	return c
}

// keepSession stores the id of a session that the caller has with an HTTP server already, so that it is gone on with.
func (r *Registry) keepSession(ctx context.Context, q *store.Queries, owner string, row *store.MCPServer, id secret.String) error {
	if id.IsZero() {
		return nil
	}
	kept, err := mcpclient.KeptSession(id.Reveal())
	if err != nil {
		return err
	}
	sealed, err := r.ring.Seal(sessionBinding(owner, row.ID), kept)
	if err != nil {
		return err
	}
	_, err = q.AddServerSession(ctx, store.AddServerSessionParams{Owner: owner, ServerID: row.ID, Version: row.Version, SessionSealed: sealed})
	if err != nil {
		return fmt.Errorf("store MCP session: %w", err)
	}
	return nil
}

// authType is how a server's environment declares that it works with each user's own Google account (seed 001).
const (
	authType       = "MCP_AUTH_TYPE"
	authTypeGoogle = "OAUTH2_GOOGLE"
	providerGoogle = "google"
)

// declare reads what the environment of a server says about the server itself.
func (s *Server) declare() {
	if v := s.Env[authType]; s.Transport == transportStdio && v.Reveal() == authTypeGoogle && s.AuthProvider == "" {
		s.AuthProvider = providerGoogle
	}
}
