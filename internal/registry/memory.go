package registry

import (
	"sync"

	"steward/internal/store"
)

// mostKept bounds each kind of thing in memory; beyond it everything of the kind is read anew.
const mostKept = 20_000

// memory is what has been read of servers. It is believed while changes are heard. What is read while a change comes
// in is not kept: it may be from before.
type memory struct {
	mu      sync.RWMutex
	live    bool
	changes uint64
	rows    map[int64]*store.MCPServer
	visible map[string][]*store.MCPServer // by owner
	tools   map[int64]*knownTools
}

// listen starts or stops believing.
func (m *memory) listen(live bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.live = live
	m.changes++
	clear(m.rows)
	clear(m.visible)
	clear(m.tools)
}

// forget drops what a change makes doubtful.
func (m *memory) forget(c store.Change) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.changes++
	switch c.Kind {
	case store.ServerChanged:
		delete(m.rows, c.Server)
		clear(m.visible) // an admin's server is in everybody's list; changes are rare
		delete(m.tools, c.Server)
	case store.ToolsChanged, store.OverrideChanged:
		delete(m.tools, c.Server)
	}
}

// remembered returns what is in memory under key, else what read finds, which is kept if it may be.
func remembered[K comparable, V any](m *memory, in func(*memory) *map[K]V, key K, read func() (V, error)) (V, error) {
	m.mu.RLock()
	value, found := (*in(m))[key]
	before := m.changes
	m.mu.RUnlock()
	if found {
		return value, nil
	}
	value, err := read()
	if err != nil {
		return value, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.live && m.changes == before {
		kept := in(m)
		if *kept == nil || len(*kept) >= mostKept {
			*kept = map[K]V{}
		}
		(*kept)[key] = value
	}
	return value, nil
}
