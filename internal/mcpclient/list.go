package mcpclient

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// Limits of a tool list. A server that asks for a cache of a week would hide a changed definition for as
// long, hence maxToolTTL.
const (
	defaultToolTTL = 5 * time.Minute // legacy servers name none
	maxToolTTL     = time.Hour
	maxPages       = 100
	maxTools       = 2000
)

// toolList caches the tools of one session.
type toolList struct {
	fetching chan struct{} // one fetch at a time; a channel, because waiters have deadlines

	mu      sync.Mutex
	tools   []Tool
	expires time.Time
	changes int // notifications/tools/list_changed so far

	// raw keeps the last answer by cursor: go-sdk answers a repeated page from its own cache while the
	// page's ttl lasts, and then nothing crosses the wire. Used by the fetch in progress only.
	raw map[string]json.RawMessage
}

func newToolList() *toolList {
	return &toolList{fetching: make(chan struct{}, 1), raw: map[string]json.RawMessage{}}
}

// changed forgets the tools, also those of a fetch under way.
func (l *toolList) changed() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.changes++
	l.expires = time.Time{}
}

func (l *toolList) cached() ([]Tool, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.tools, time.Now().Before(l.expires)
}

// list returns the server's tools in its own order. Callers share the slice and must not change it.
func (s *session) list(ctx context.Context) ([]Tool, error) {
	l := s.tools
	if tools, ok := l.cached(); ok {
		return tools, nil
	}
	select {
	case l.fetching <- struct{}{}:
		defer func() { <-l.fetching }()
	case <-ctx.Done():
		return nil, s.failure("tools", nil, ctx.Err())
	}
	if tools, ok := l.cached(); ok {
		return tools, nil
	}
	l.mu.Lock()
	changes := l.changes
	l.mu.Unlock()
	tools, ttl, err := s.fetch(ctx)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tools = tools
	if l.changes == changes {
		l.expires = time.Now().Add(ttl)
	}
	return tools, nil
}

// fetch reads every page. The list is good for as long as its shortest-lived page.
func (s *session) fetch(ctx context.Context) (tools []Tool, ttl time.Duration, err error) {
	ttl = maxToolTTL
	seen := map[string]bool{}
	cursor := ""
	for range maxPages {
		page, allowed, err := s.fetchPage(ctx, cursor)
		if err != nil {
			return nil, 0, err
		}
		for _, raw := range page.Tools {
			tool, err := parseTool(raw)
			if err != nil || (allowed != nil && !allowed[tool.Name]) || seen[tool.Name] {
				s.log.WarnContext(ctx, "mcp tool left out", "server", s.name, "tool", tool.Name, "error", err)
				continue
			}
			seen[tool.Name] = true
			tools = append(tools, tool)
		}
		ttl = min(ttl, s.ttl(page))
		if page.Next == "" || page.Next == cursor || len(tools) > maxTools {
			return tools[:min(len(tools), maxTools)], ttl, nil
		}
		cursor = page.Next
	}
	return tools, ttl, nil
}

// fetchPage returns one raw page and the names that go-sdk accepts: it leaves out tools whose x-mcp-header
// annotations are broken (2026-07-28, basic/transports). The names are nil where one odd entry made it give
// up on the whole page; then only that entry is lost to us.
func (s *session) fetchPage(ctx context.Context, cursor string) (*toolPage, map[string]bool, error) {
	ctx, w := withWire(ctx)
	res, err := s.sdk.ListTools(ctx, &mcp.ListToolsParams{Cursor: cursor})
	raw := w.finish().result
	if err != nil && raw == nil {
		return nil, nil, s.failure("tools", w, err)
	}
	if raw == nil {
		raw = s.tools.raw[cursor]
	}
	s.tools.raw[cursor] = raw
	if raw == nil {
		return nil, nil, s.useless("tools", w, errors.New("the answer has no result"))
	}
	var page toolPage
	if err := json.Unmarshal(raw, &page); err != nil {
		return nil, nil, s.useless("tools", w, fmt.Errorf("reading tools/list: %w", err))
	}
	if res == nil {
		return &page, nil, nil
	}
	allowed := make(map[string]bool, len(res.Tools))
	for _, t := range res.Tools {
		allowed[t.Name] = true
	}
	return &page, allowed, nil
}

func (s *session) ttl(page *toolPage) time.Duration {
	if s.info.Era == EraLegacy || page.TTL == nil {
		return defaultToolTTL
	}
	return time.Duration(min(max(*page.TTL, 0), maxToolTTL.Milliseconds())) * time.Millisecond
}
