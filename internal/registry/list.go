package registry

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"steward/internal/mcpclient"
	"steward/internal/secret"
	"steward/internal/store"
)

// listed is a server's tool list as one user has it, free of secrets, with the pin of each tool. It is shared.
type listed struct {
	source   *mcpclient.Tool // the first tool of the pool's own list: another list, another place
	count    int
	tools    []mcpclient.Tool
	pins     []string
	recorded atomic.Bool
}

// lists keeps what was computed of the pool's lists, for as long as the pool answers with the same ones.
type lists struct {
	mu    sync.Mutex
	known map[mcpclient.Key]*listed
}

// anyAge takes the list that the pool has, for as long as the server allows.
const anyAge time.Duration = -1

// list asks the server for its tools, through the pool's cache. The error is an *oauth.ConsentError when the server
// wants a credential that the owner has not given.
func (r *Registry) list(ctx context.Context, owner string, s *store.MCPServer, age time.Duration) (*listed, error) {
	var tools []mcpclient.Tool
	var reached mcpclient.Key
	var token secret.String
	err := r.reach(ctx, owner, s, func(t mcpclient.Target) (err error) {
		token, reached = bearer(t), t.Key
		if age == anyAge {
			tools, err = r.pool.Tools(ctx, t)
		} else {
			tools, err = r.pool.ToolsWithin(ctx, t, age)
		}
		return err
	})
	if err != nil || len(tools) == 0 {
		return &listed{}, err
	}
	r.lists.mu.Lock()
	known := r.lists.known[reached]
	r.lists.mu.Unlock()
	if known != nil && known.source == &tools[0] && known.count == len(tools) {
		return known, nil
	}
	clean, err := r.withoutSecrets(ctx, owner, s, token, tools)
	if err != nil {
		return nil, err
	}
	l := &listed{source: &tools[0], count: len(tools)}
	for _, t := range clean {
		pin, err := Pin(t.Definition)
		if err != nil || !storable(t.Name) {
			r.log.WarnContext(ctx, "tool left out: its definition cannot be pinned", "server", s.ID, "error", err)
			continue
		}
		l.tools, l.pins = append(l.tools, t), append(l.pins, pin)
	}
	r.lists.mu.Lock()
	defer r.lists.mu.Unlock()
	if r.lists.known == nil || len(r.lists.known) >= mostKept {
		r.lists.known = map[mcpclient.Key]*listed{}
	}
	r.lists.known[reached] = l
	return l, nil
}

// maxToolName is the longest name of a tool, in bytes. MCP wants at most 128.
const maxToolName = 256

func storable(name string) bool {
	return len(name) <= maxToolName && utf8.ValidString(name) && !strings.ContainsRune(name, 0)
}

// Tools asks the server for its tools and records what it answered.
func (r *Registry) Tools(ctx context.Context, owner string, s *store.MCPServer) ([]mcpclient.Tool, error) {
	l, err := r.list(ctx, owner, s, anyAge)
	if err != nil {
		return nil, err
	}
	_, err = r.record(ctx, s, l)
	return l.tools, err
}
