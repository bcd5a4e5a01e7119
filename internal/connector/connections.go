package connector

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"steward/internal/oauth"
	"steward/internal/secret"
	"steward/internal/store"
)

// Connections is what users have connected: the list of connectors, and the credentials and settings behind them.
type Connections struct {
	kinds       []*Connector
	credentials *oauth.Service
	db          *store.DB
	ring        *secret.Ring
	dial        func(owner string) Dial
	log         *slog.Logger
	links       *links
}

// Options are what Connections stand on. Credentials are always needed, the others for connectors with forms.
type Options struct {
	Credentials *oauth.Service
	DB          *store.DB
	Ring        *secret.Ring
	Dial        func(owner string) Dial // by the rules for that user
	Log         *slog.Logger
}

// NewConnections takes the list of connectors; names of connectors must be unique in it, and those of tools among the
// connectors of one kind. Close must be called.
func NewConnections(o Options, kinds ...*Connector) (*Connections, error) {
	if o.Credentials == nil {
		return nil, errors.New("connector: credentials are required")
	}
	names, tools := map[string]bool{}, map[string]bool{}
	for _, k := range kinds {
		if names[k.Name] {
			return nil, fmt.Errorf("connector %s is listed twice", k.Name)
		}
		names[k.Name] = true
		if (k.Provider == "") == (k.Form == nil) {
			return nil, fmt.Errorf("connector %s needs either a provider or a form", k.Name)
		}
		if k.Form != nil {
			if o.DB == nil || o.Ring == nil || o.Dial == nil || o.Log == nil {
				return nil, fmt.Errorf("connector %s: its form needs a database, a key ring, a dialler and a logger", k.Name)
			}
			if len(k.Form.Fields) == 0 || k.Form.Place == nil || k.Form.Open == nil {
				return nil, fmt.Errorf("connector %s: its form is not whole", k.Name)
			}
			continue
		}
		for _, t := range k.Tools {
			if tools[t.Name] {
				return nil, fmt.Errorf("tool %s is listed twice", t.Name)
			}
			tools[t.Name] = true
		}
	}
	return &Connections{kinds: kinds, credentials: o.Credentials, db: o.DB, ring: o.Ring, dial: o.Dial, log: o.Log, links: newLinks()}, nil
}

// Close ends all links.
func (c *Connections) Close() { c.links.close() }

// Kinds lists the connectors in the order of the list.
func (c *Connections) Kinds() []*Connector { return slices.Clone(c.kinds) }

// Find returns the connector of that name.
func (c *Connections) Find(name string) (*Connector, bool) {
	i := slices.IndexFunc(c.kinds, func(k *Connector) bool { return k.Name == name })
	if i < 0 {
		return nil, false
	}
	return c.kinds[i], true
}

// Of lists what owner has connected, in the order of the list: connectors of which at least one tool is granted, also
// those whose grant has ended since (the tools then ask for consent), and then what was connected with a form.
func (c *Connections) Of(ctx context.Context, owner string) ([]Connection, error) {
	var out []Connection
	known := map[string]*oauth.Credential{}
	for _, k := range c.kinds {
		if k.Form != nil {
			continue
		}
		credential, asked := known[k.Provider]
		if !asked {
			var err error
			if credential, err = c.credentials.Credential(ctx, owner, k.Provider); err != nil {
				return nil, err
			}
			known[k.Provider] = credential
		}
		if credential != nil && slices.ContainsFunc(k.Tools, func(t Tool) bool { return t.grantedBy(credential.Scopes) }) {
			out = append(out, Connection{ID: k.Name, Name: k.Name, Connector: k, Credential: credential})
		}
	}
	saved, err := c.Saved(ctx, owner)
	return append(out, saved...), err
}

// Named returns those of owner's connections that have one of the ids, in the order of the list.
func (c *Connections) Named(ctx context.Context, owner string, ids []string) ([]Connection, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	all, err := c.Of(ctx, owner)
	return slices.DeleteFunc(all, func(n Connection) bool { return !slices.Contains(ids, n.ID) }), err
}

// Lookup finds a tool of a connection by its whole name; false if there is none. Whether owner has consented is found
// out by Open.
func (c *Connections) Lookup(ctx context.Context, owner, id, name string) (Connection, Tool, bool, error) {
	conn := Connection{ID: id, Name: id}
	if kind, ok := c.Find(id); ok && kind.Form == nil {
		conn.Connector = kind
	} else if saved, err := c.saved(ctx, owner, id); err != nil || saved == nil {
		return conn, Tool{}, false, err
	} else {
		conn = *saved
	}
	for _, t := range conn.Tools() {
		if t.Name == name {
			return conn, t, true, nil
		}
	}
	return conn, Tool{}, false, nil
}

// Holder is the id of the connection that a tool's whole name belongs to; false where it is no connection's.
func (c *Connections) Holder(name string) (string, bool) {
	if id, ok := idIn(name); ok {
		return id, true
	}
	for _, k := range c.kinds {
		if _, ok := k.Find(name); ok && k.Form == nil {
			return k.Name, true
		}
	}
	return "", false
}

// Open returns owner's session for one tool. The error is an *oauth.ConsentError when a person must consent
// first: there is no credential, it has ended, or the tool needs a scope that was not granted.
func (c *Connections) Open(ctx context.Context, owner string, conn Connection, t Tool) (*Session, error) {
	k := conn.Connector
	if conn.row != nil {
		link, err := c.link(conn)
		return &Session{Link: link}, err
	}
	credential, err := c.credentials.Credential(ctx, owner, k.Provider)
	switch {
	case err != nil:
		return nil, err
	case credential == nil:
		return nil, &oauth.ConsentError{Provider: k.Provider, Scopes: t.Scopes, Reason: k.Title + " is not connected"}
	case !credential.Active:
		return nil, &oauth.ConsentError{Provider: k.Provider, Version: credential.Version, Reason: credential.Reason}
	case !t.grantedBy(credential.Scopes):
		return nil, &oauth.ConsentError{
			Provider: k.Provider, Scopes: t.Scopes, Version: credential.Version, Reason: fmt.Sprintf("%s was not granted what %s needs", k.Title, t.Name),
		}
	}
	return &Session{
		HTTP: c.credentials.Client(owner, k.Provider), BaseURL: c.credentials.APIURL(k.Provider),
		Account: credential.Account, Granted: credential.Scopes, Version: credential.Version,
	}, nil
}

func (t Tool) grantedBy(scopes []string) bool {
	return len(t.Scopes) == 0 || slices.ContainsFunc(t.Scopes, func(s string) bool { return slices.Contains(scopes, s) })
}
