package connector

import (
	"sync"
	"time"
)

const (
	// idleClose is how long a link that nobody uses stays open.
	idleClose = 5 * time.Minute
	// mostLinks bounds the links of one process; the one that was used longest ago makes room.
	mostLinks = 256
)

// links are the open ones of this process, by connection. What was filled in never changes: another set of settings is
// another connection.
type links struct {
	mu    sync.Mutex
	open  map[string]*held
	sweep *time.Timer
	ended bool
}

type held struct {
	link Link
	used time.Time
}

func newLinks() *links { return &links{open: map[string]*held{}} }

// get returns the link of a connection, made if there is none.
func (l *links) get(id string, open func() (Link, error)) (Link, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if h := l.open[id]; h != nil {
		h.used = time.Now()
		return h.link, nil
	}
	link, err := open()
	if err != nil {
		return nil, err
	}
	if l.ended { // who asks now gets an answer, and nothing stays behind
		go link.Close()
		return link, nil
	}
	l.makeRoom()
	l.open[id] = &held{link, time.Now()}
	if l.sweep == nil {
		l.sweep = time.AfterFunc(idleClose, l.closeIdle)
	}
	return link, nil
}

func (l *links) makeRoom() {
	if len(l.open) < mostLinks {
		return
	}
	oldest := ""
	for id, h := range l.open {
		if oldest == "" || h.used.Before(l.open[oldest].used) {
			oldest = id
		}
	}
	l.drop(oldest)
}

// drop closes beside whoever holds the lock: closing may wait for calls under way.
func (l *links) drop(id string) {
	if h := l.open[id]; h != nil {
		delete(l.open, id)
		go h.link.Close()
	}
}

func (l *links) closeIdle() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for id, h := range l.open {
		if time.Since(h.used) >= idleClose {
			l.drop(id)
		}
	}
	l.sweep = nil
	if len(l.open) > 0 && !l.ended {
		l.sweep = time.AfterFunc(idleClose/4, l.closeIdle)
	}
}

func (l *links) end(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.drop(id)
}

func (l *links) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
	if l.sweep != nil {
		l.sweep.Stop()
	}
	for id, h := range l.open {
		delete(l.open, id)
		h.link.Close()
	}
}

// link opens a connection that was made with a form.
func (c *Connections) link(conn Connection) (Link, error) {
	return c.links.get(conn.ID, func() (Link, error) {
		doc, err := c.ring.Open(settingsBinding(conn.row), conn.row.SettingsSealed)
		if err != nil {
			return nil, err
		}
		settings, err := decodeSettings(doc)
		if err != nil {
			return nil, err
		}
		return conn.Connector.Form.Open(settings, c.dial(conn.row.Owner))
	})
}
