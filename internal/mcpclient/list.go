package mcpclient

import (
	"context"
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
	fetched time.Time
	expires time.Time
	changes int // notifications/tools/list_changed so far
}

func newToolList() *toolList { return &toolList{fetching: make(chan struct{}, 1)} }

// changed forgets the tools, also those of a fetch under way.
func (l *toolList) changed() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.changes++
	l.expires = time.Time{}
}

// cached returns the tools if they were fetched after since and are still good.
func (l *toolList) cached(since time.Time) ([]Tool, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.tools, time.Now().Before(l.expires) && !l.fetched.Before(since)
}

// list returns the server's tools in its own order, from a list fetched no longer ago than age. Callers share the
// slice and must not change it.
func (s *session) list(ctx context.Context, age time.Duration) ([]Tool, error) {
	l := s.tools
	since := time.Now().Add(-age)
	if tools, ok := l.cached(since); ok {
		return tools, nil
	}
	select {
	case l.fetching <- struct{}{}:
		defer func() { <-l.fetching }()
	case <-ctx.Done():
		return nil, s.failure("tools", nil, ctx.Err())
	}
	if tools, ok := l.cached(since); ok {
		return tools, nil
	}
	l.mu.Lock()
	changes, asked := l.changes, time.Now()
	l.mu.Unlock()
	tools, ttl, err := s.fetch(ctx)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tools, l.fetched = tools, asked
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
	var res *mcp.ListToolsResult
	raw, err := s.request(ctx, "tools", "", func(ctx context.Context) (err error) {
		res, err = s.sdk.ListTools(ctx, &mcp.ListToolsParams{Cursor: cursor})
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	var page toolPage
	if err := decode(raw, &page); err != nil {
		return nil, nil, s.useless("tools", fmt.Errorf("reading tools/list: %w", err))
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

// withoutCache takes the ttl out of what go-sdk sees: it would answer the next question itself, and this file decides
// how long a list is good. What it keeps beside the ttl, for the headers that mirror arguments, it goes on to use.
func withoutCache(next mcp.MethodHandler) mcp.MethodHandler {
	return func(ctx context.Context, method string, req mcp.Request) (mcp.Result, error) {
		res, err := next(ctx, method, req)
		if list, ok := res.(*mcp.ListToolsResult); ok && err == nil {
			list.TTLMs = 0
		}
		return res, err
	}
}

func (s *session) ttl(page *toolPage) time.Duration {
	if s.info.Era == EraLegacy || page.TTL == nil {
		return defaultToolTTL
	}
	return time.Duration(min(max(*page.TTL, 0), maxToolTTL.Milliseconds())) * time.Millisecond
}

// refreshes fetches the list anew after the server found the headers of a call at odds with its arguments: they are
// made from the tool's definition, which we had not read, or not lately (2026-07-28, basic/transports). The server
// refused the call for it, and reports whether it may go out again.
func (s *session) refreshes(ctx context.Context) bool {
	_, err := s.list(ctx, 0)
	return err == nil && s.info.Era == EraModern
}
