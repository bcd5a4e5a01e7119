// Package registry knows the MCP servers that users may call: how each is reached, what it offers, and
// whether an admin trusts what it says about itself.
package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"sync"

	"steward/internal/fault"
	"steward/internal/mcpclient"
	"steward/internal/secret"
	"steward/internal/store"
)

// Registry reads servers from PostgreSQL and reaches them through one pool of sessions.
type Registry struct {
	db     *store.DB
	ring   *secret.Ring
	tokens Tokens
	pool   *mcpclient.Pool
	log    *slog.Logger
	// client reaches addresses that users and servers supply: it is egress's.
	client *http.Client

	recorded sync.Map // server id -> the pins last recorded, joined
}

// New makes a registry over its own pool of sessions; Close ends them.
func New(db *store.DB, ring *secret.Ring, tokens Tokens, client *http.Client, log *slog.Logger) (*Registry, error) {
	if db == nil || ring == nil || tokens == nil || client == nil || log == nil {
		return nil, errors.New("registry: database, key ring, credentials, egress client and logger are required")
	}
	r := &Registry{db: db, ring: ring, tokens: tokens, client: client, log: log}
	var err error
	r.pool, err = mcpclient.New(mcpclient.Options{Log: log, OnEra: r.storeEra})
	return r, err
}

// Close ends every session and the processes behind them.
func (r *Registry) Close(ctx context.Context) error { return r.pool.Close(ctx) }

// Pick resolves what a request names: ids, and names or numeric ids of more servers. Nothing named means
// every server that owner can call. A foreign, disabled or absent server is an Invalid fault at its
// location, the same for all three.
func Pick(ctx context.Context, q *store.Queries, owner string, id int64, more []string) ([]int64, error) {
	all, err := q.ListServersForUser(ctx, owner)
	if err != nil {
		return nil, fmt.Errorf("list servers: %w", err)
	}
	byName := map[string]int64{}
	known := map[int64]bool{}
	var ids []int64
	for _, s := range all {
		known[s.ID] = true
		if _, taken := byName[s.Name]; !taken || s.Owner != nil { // one's own name wins over an admin's
			byName[s.Name] = s.ID
		}
		ids = append(ids, s.ID)
	}
	if id == 0 && len(more) == 0 {
		return ids, nil
	}
	ids = nil
	if id != 0 {
		if !known[id] {
			return nil, fault.InvalidField("body.mcp_server_id", "no such MCP server")
		}
		ids = append(ids, id)
		delete(known, id)
	}
	for i, name := range more {
		n, ok := byName[name]
		if num, err := strconv.ParseInt(name, 10, 64); !ok && err == nil {
			n, ok = num, known[num] || num == id
		}
		if !ok {
			return nil, fault.InvalidField(fmt.Sprintf("body.servers[%d]", i), "no such MCP server")
		}
		if known[n] {
			ids = append(ids, n)
			delete(known, n)
		}
	}
	return ids, nil
}

// Servers returns the rows of ids that owner may call, in the order of ids.
func (r *Registry) Servers(ctx context.Context, owner string, ids []int64) ([]*store.MCPServer, error) {
	rows, err := r.db.GetServersForUser(ctx, store.GetServersForUserParams{Ids: ids, Owner: owner})
	if err != nil {
		return nil, fmt.Errorf("read servers: %w", err)
	}
	byID := map[int64]*store.MCPServer{}
	for _, s := range rows {
		byID[s.ID] = s
	}
	out := make([]*store.MCPServer, 0, len(rows))
	for _, id := range ids {
		if s := byID[id]; s != nil {
			out = append(out, s)
		}
	}
	return out, nil
}

// Server reads one server that owner may call; nil if there is none.
func (r *Registry) Server(ctx context.Context, owner string, id int64) (*store.MCPServer, error) {
	s, err := r.db.GetServer(ctx, store.GetServerParams{ID: id, Owner: owner})
	if store.IsNoRows(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read server: %w", err)
	}
	return s, nil
}

// Tools asks the server for its tools, through the pool's cache, and records what it answered. The error is an
// *oauth.ConsentError when the server wants a credential that the owner has not given.
func (r *Registry) Tools(ctx context.Context, owner string, s *store.MCPServer) ([]mcpclient.Tool, error) {
	var tools []mcpclient.Tool
	var token secret.String
	err := r.reach(ctx, owner, s, func(t mcpclient.Target) (err error) {
		token = bearer(t)
		tools, err = r.pool.Tools(ctx, t)
		return err
	})
	if err != nil {
		return nil, err
	}
	if tools, err = r.withoutSecrets(s, token, tools); err != nil {
		return nil, err
	}
	if err := r.record(ctx, s.ID, tools); err != nil {
		return nil, err
	}
	return tools, nil
}

// Call sends one tool call. Errors are *mcpclient.Error, which says whether the call may have run, or those of
// Ready, after which nothing was sent.
func (r *Registry) Call(ctx context.Context, owner string, s *store.MCPServer, call mcpclient.Call) (*mcpclient.Result, error) {
	var result *mcpclient.Result
	err := r.reach(ctx, owner, s, func(t mcpclient.Target) (err error) {
		result, err = r.pool.Call(ctx, t, call)
		withoutBearer(t, result, err)
		return err
	})
	return result, err
}

// Drop ends the session that owner has with the server: what it has not done by now it will not do,
// because the child process dies with it. Only a stdio server promises that much.
func (r *Registry) Drop(owner string, s *store.MCPServer) {
	if s.Transport == "stdio" {
		r.pool.Drop(key(owner, s))
	}
}

func (r *Registry) storeEra(ctx context.Context, k mcpclient.Key, n mcpclient.Negotiated) {
	info := n.ServerInfo
	if len(info) == 0 {
		info = json.RawMessage("{}")
	}
	err := r.db.SetServerEra(ctx, store.SetServerEraParams{
		ID: k.Server, Version: k.Version, Era: string(n.Era), ProtocolVersion: n.ProtocolVersion, ServerInfo: info,
	})
	if err != nil {
		r.log.WarnContext(ctx, "server era not stored", "server", k.Server, "error", err)
	}
}
