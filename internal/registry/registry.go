// Package registry knows the MCP servers that users may call: how each is reached, what it offers, whether an admin
// trusts what it says about itself, and which of its tools somebody has agreed to.
package registry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"steward/internal/egress"
	"steward/internal/mcpclient"
	"steward/internal/secret"
	"steward/internal/store"
	"steward/internal/vault"
)

// Registry reads servers from PostgreSQL and reaches them through one pool of sessions. What it reads it keeps in
// memory while Watch hears of changes.
type Registry struct {
	db      *store.DB
	ring    *secret.Ring
	tokens  Tokens
	secrets Secrets
	pool    *mcpclient.Pool
	holds   *holds // the kept sessions that this process has
	log     *slog.Logger
	opts    Options
	exits   *egress.Exits // to addresses that users and servers supply

	memory   memory
	opened   opened
	lists    lists
	reviewed func(ctx context.Context, server int64)
	changed  func(store.Change)
}

// Options are a Registry's settings.
type Options struct {
	// Packages is the folder in which servers are installed: each child may read its own. Data is our data folder: no
	// child gets what holds it, and packages keep their state below it.
	Packages, Data string
	// Installed says, before a child of the server starts, why what is installed must not run; nil: nothing is
	// installed.
	Installed func(ctx context.Context, server int64) error
}

// Secrets are what users store for servers; they are vault.Vault's.
type Secrets interface {
	For(ctx context.Context, owner string, server int64) (vault.Kept, error)
	Used(owner string, server int64, names ...string)
	Forget(owner string, server int64)
	Believe(heard bool) // whether changes are heard from now on
}

// New makes a registry over its own pool of sessions; Close ends them.
func New(db *store.DB, ring *secret.Ring, tokens Tokens, secrets Secrets, exits *egress.Exits, o Options, log *slog.Logger) (*Registry, error) {
	if db == nil || ring == nil || tokens == nil || secrets == nil || exits == nil || log == nil {
		return nil, errors.New("registry: database, key ring, credentials, secrets, egress and logger are required")
	}
	r := &Registry{db: db, ring: ring, tokens: tokens, secrets: secrets, exits: exits, opts: o, log: log}
	r.holds = newHolds(db, log, func(id int32) { r.pool.Abandon(int64(id)) })
	var err error
	r.pool, err = mcpclient.New(mcpclient.Options{Log: log, OnSeen: r.seen, OnState: r.fared, Sessions: sessions{r, r.holds}})
	return r, err
}

// Close ends every session and the processes behind them.
func (r *Registry) Close(ctx context.Context) error {
	defer r.holds.close(context.WithoutCancel(ctx))
	return r.pool.Close(ctx)
}

// OnReview sets what hears that somebody has looked at a changed tool of a server: runs may wait for it. It is set
// once, before anybody reviews.
func (r *Registry) OnReview(heard func(ctx context.Context, server int64)) { r.reviewed = heard }

// OnChange sets what hears of changes, whoever made them. It is set once, before Watch.
func (r *Registry) OnChange(heard func(store.Change)) { r.changed = heard }

// Watch keeps memory and sessions in step with what other processes change, until ctx ends; then it returns nil.
// Without it, and while its connection is down, the database is asked each time.
func (r *Registry) Watch(ctx context.Context) error {
	return r.db.Listen(ctx, r.log, r.heard, func(up bool) {
		r.memory.listen(up)
		r.secrets.Believe(up)
		if up { // a change of which nobody told us has ended no session of ours
			r.retireStale(ctx)
		}
	})
}

// heard acts on one change, whoever made it.
func (r *Registry) heard(c store.Change) {
	r.memory.forget(c)
	if r.changed != nil {
		r.changed(c)
	}
	switch c.Kind {
	case store.ServerChanged:
		r.lists.forget(c.Server)
		r.pool.Retire("", c.Server, c.Version)
	case store.SecretChanged:
		r.secrets.Forget(c.Owner, c.Server)
		r.pool.Retire(c.Owner, c.Server, 0)
	}
}

// retireStale ends the sessions of servers that were changed or removed while nobody listened.
func (r *Registry) retireStale(ctx context.Context) {
	versions, err := r.db.ListServerVersions(ctx)
	if err != nil {
		r.log.WarnContext(ctx, "sessions not compared with their servers", "error", err)
		return
	}
	for _, v := range versions {
		r.pool.Retire("", v.ID, v.Version)
	}
}

// seen stores what opening a session has taught about a server, so that the next one opens the right way at once. All
// who may call the server read what it says of itself, so that this must hold nothing of the user who has opened the
// session.
func (r *Registry) seen(ctx context.Context, k mcpclient.Key, n mcpclient.Negotiated) {
	changed, err := r.storeSeen(ctx, k, n)
	if err != nil {
		r.log.WarnContext(ctx, "what a server speaks is not stored", "server", k.Server, "error", err)
	}
	if changed {
		r.memory.forget(store.Change{Kind: store.ServerChanged, Server: k.Server, Version: k.Version})
	}
}

func (r *Registry) storeSeen(ctx context.Context, k mcpclient.Key, n mcpclient.Negotiated) (changed bool, err error) {
	s, err := r.Server(ctx, k.Owner, k.Server)
	if err != nil || s == nil { // it is tried before it is registered, or is gone
		return false, err
	}
	to, err := r.target(ctx, k.Owner, s)
	if err != nil || to.Key != k { // with other secrets than the session has got: its successor will tell
		return false, err
	}
	info := []byte("{}")
	if len(n.ServerInfo) > 0 {
		info = secret.NewRedactor(to.secrets()...).Exact().JSON(n.ServerInfo)
	}
	rows, err := r.db.SetServerSeen(ctx, store.SetServerSeenParams{
		ID: k.Server, Version: k.Version, Era: string(n.Era), ProtocolVersion: n.ProtocolVersion, ServerInfo: info, Wire: string(n.Wire),
	})
	if err != nil {
		return false, fmt.Errorf("store era: %w", err)
	}
	return rows > 0, nil
}
