package auth

import (
	"sync"
	"time"
)

const (
	// freshness is how long an answer of the database is believed: what another process revokes takes
	// effect here within it, what this process revokes at once.
	freshness = 5 * time.Second
	// maxCached bounds memory under a flood of different credentials.
	maxCached = 10_000
)

// cache remembers answers for a short time.
type cache[V any] struct {
	now     func() time.Time
	mu      sync.Mutex
	entries map[string]cached[V]
}

type cached[V any] struct {
	value V
	until time.Time
}

func newCache[V any](now func() time.Time) *cache[V] {
	return &cache[V]{now: now, entries: map[string]cached[V]{}}
}

func (c *cache[V]) get(key string) (V, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	entry, ok := c.entries[key]
	return entry.value, ok && c.now().Before(entry.until)
}

// add remembers what was read, unless something fresh is known: a slow reader must not undo a revocation
// that happened meanwhile.
func (c *cache[V]) add(key string, value V) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.now().Before(c.entries[key].until) {
		c.store(key, value)
	}
}

// put remembers what was decided here.
func (c *cache[V]) put(key string, value V) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.store(key, value)
}

func (c *cache[V]) store(key string, value V) {
	if len(c.entries) >= maxCached {
		clear(c.entries) // simpler than eviction, and costs one query per credential in use
	}
	c.entries[key] = cached[V]{value, c.now().Add(freshness)}
}
