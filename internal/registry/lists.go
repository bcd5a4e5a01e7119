package registry

import (
	"maps"
	"sync"
)

// lists keeps what was computed of the pool's lists, for as long as the pool answers with the same ones: one for each
// user of a server, whatever the version of its settings, of the user's token and of the user's secrets.
type lists struct {
	mu    sync.Mutex
	known map[listKey]*listed
}

type listKey struct {
	owner  string
	server int64
}

func (l *lists) find(owner string, server int64) *listed {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.known[listKey{owner, server}]
}

func (l *lists) keep(owner string, server int64, made *listed) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.known == nil || len(l.known) >= mostKept {
		l.known = map[listKey]*listed{}
	}
	l.known[listKey{owner, server}] = made
}

// forget drops everybody's list of a server.
func (l *lists) forget(server int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	maps.DeleteFunc(l.known, func(k listKey, _ *listed) bool { return k.server == server })
}
