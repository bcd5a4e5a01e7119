package connector

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"steward/internal/oauth"
)

// Connections is what users have connected: the list of connectors, and the credentials behind them.
type Connections struct {
	kinds       []*Connector
	credentials *oauth.Service
}

// Connection is one connector as a user has connected it.
type Connection struct {
	Connector  *Connector
	Credential *oauth.Credential
}

// NewConnections takes the list of connectors; names of connectors and of tools must be unique in it.
func NewConnections(credentials *oauth.Service, kinds ...*Connector) (*Connections, error) {
	if credentials == nil {
		return nil, errors.New("connector: credentials are required")
	}
	names, tools := map[string]bool{}, map[string]bool{}
	for _, k := range kinds {
		if names[k.Name] {
			return nil, fmt.Errorf("connector %s is listed twice", k.Name)
		}
		names[k.Name] = true
		for _, t := range k.Tools {
			if tools[t.Name] {
				return nil, fmt.Errorf("tool %s is listed twice", t.Name)
			}
			tools[t.Name] = true
		}
	}
	return &Connections{kinds: kinds, credentials: credentials}, nil
}

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

// Of lists what owner has connected: connectors of which at least one tool is granted, also those whose
// grant has ended since (the tools then ask for consent).
func (c *Connections) Of(ctx context.Context, owner string) ([]Connection, error) {
	var out []Connection
	known := map[string]*oauth.Credential{}
	for _, k := range c.kinds {
		credential, asked := known[k.Provider]
		if !asked {
			var err error
			if credential, err = c.credentials.Credential(ctx, owner, k.Provider); err != nil {
				return nil, err
			}
			known[k.Provider] = credential
		}
		if credential != nil && slices.ContainsFunc(k.Tools, func(t Tool) bool { return t.grantedBy(credential.Scopes) }) {
			out = append(out, Connection{Connector: k, Credential: credential})
		}
	}
	return out, nil
}

// Named returns those of owner's connections that have one of the names, in the order of the list.
func (c *Connections) Named(ctx context.Context, owner string, names []string) ([]Connection, error) {
	if len(names) == 0 {
		return nil, nil
	}
	all, err := c.Of(ctx, owner)
	return slices.DeleteFunc(all, func(n Connection) bool { return !slices.Contains(names, n.Connector.Name) }), err
}

// Open returns owner's session for one tool. The error is an *oauth.ConsentError when a person must consent
// first: there is no credential, it has ended, or the tool needs a scope that was not granted.
func (c *Connections) Open(ctx context.Context, owner string, k *Connector, t Tool) (*Session, error) {
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
