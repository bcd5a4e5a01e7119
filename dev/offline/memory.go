package offline

import (
	"sync"
	"time"

	"steward/dev/offline/wire"
)

// Bounds of what is remembered; the oldest responses are forgotten first.
const (
	maxEntries = 4096
	maxChars   = 64 << 20
)

// entry is a stored response. It never changes, except that it can be cancelled; whether it can be
// seen already is a question of the time, so nothing has to run in the background.
type entry struct {
	final     *wire.Response
	context   []wire.Item // what a next request continues: input and output
	ready     time.Time
	chars     int
	cancelled chan struct{} // closed when it was cancelled
	once      sync.Once
}

func newEntry(final *wire.Response, context []wire.Item, ready time.Time, chars int) *entry {
	full := context[:len(context):len(context)]
	for _, output := range final.Output {
		full = append(full, output.Item())
	}
	return &entry{
		final:     final,
		context:   full,
		ready:     ready,
		chars:     chars + 4*final.Usage.TotalTokens,
		cancelled: make(chan struct{}),
	}
}

func (e *entry) background() bool { return e.final.Background }

func (e *entry) cancel() { e.once.Do(func() { close(e.cancelled) }) }

func (e *entry) isCancelled() bool {
	select {
	case <-e.cancelled:
		return true
	default:
		return false
	}
}

// at is the response as it looks at a time.
func (e *entry) at(now time.Time) *wire.Response {
	switch {
	case e.isCancelled():
		return e.final.Unfinished(wire.Cancelled)
	case now.Before(e.ready):
		return e.final.Unfinished(wire.InProgress)
	default:
		return e.final
	}
}

// memory keeps responses by id, bounded by number and size.
type memory struct {
	mu      sync.Mutex
	entries map[string]*entry
	order   []string
	chars   int
}

func newMemory() *memory { return &memory{entries: map[string]*entry{}} }

func (m *memory) get(id string) (*entry, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, ok := m.entries[id]
	return e, ok
}

func (m *memory) put(e *entry) {
	m.mu.Lock()
	defer m.mu.Unlock()
	id := e.final.ID
	if old, ok := m.entries[id]; ok {
		m.chars -= old.chars
	} else {
		m.order = append(m.order, id)
	}
	m.entries[id] = e
	m.chars += e.chars
	for len(m.order) > 1 && (len(m.entries) > maxEntries || m.chars > maxChars || len(m.order) > 2*maxEntries) {
		oldest := m.order[0]
		m.order = m.order[1:]
		m.drop(oldest)
	}
}

// remove forgets a response; its place in the order goes when it is the oldest.
func (m *memory) remove(id string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, ok := m.entries[id]
	m.drop(id)
	return ok
}

func (m *memory) drop(id string) {
	if e, ok := m.entries[id]; ok {
		m.chars -= e.chars
		delete(m.entries, id)
	}
}
