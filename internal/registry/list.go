package registry

import (
	"context"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"steward/internal/mcpclient"
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

// anyAge takes the list that the pool has, for as long as the server allows.
const anyAge time.Duration = -1

// list asks the server for its tools, through the pool's cache. The error is an *oauth.ConsentError when the server
// wants a credential that the owner has not given.
func (r *Registry) list(ctx context.Context, owner string, s *store.MCPServer, age time.Duration) (*listed, error) {
	var tools []mcpclient.Tool
	var reached aim
	err := r.reach(ctx, owner, s, func(to aim) (err error) {
		reached = to
		if age == anyAge {
			tools, err = r.pool.Tools(ctx, to.Target)
		} else {
			tools, err = r.pool.ToolsWithin(ctx, to.Target, age)
		}
		return err
	})
	if err != nil || len(tools) == 0 {
		return &listed{}, err
	}
	if known := r.lists.find(owner, s.ID); known != nil && known.source == &tools[0] && known.count == len(tools) {
		return known, nil
	}
	l := &listed{source: &tools[0], count: len(tools)}
	for _, t := range reached.withoutSecrets(tools) {
		pin, err := Pin(t.Definition)
		if err != nil || !storable(t.Name) {
			r.log.WarnContext(ctx, "tool left out: its definition cannot be pinned", "server", s.ID, "error", err)
			continue
		}
		l.tools, l.pins = append(l.tools, t), append(l.pins, pin)
	}
	r.lists.keep(owner, s.ID, l)
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
