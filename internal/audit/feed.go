package audit

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5/pgconn"

	"steward/internal/store"
)

// Feed wakes the readers of a chain when an event was committed. It carries no events: a reader reads the
// rows after the last one it has, so nothing is lost while LISTEN is down. What is told between events, how far
// the model has got, it does carry: that is in no row. Two goroutines and one connection serve every reader of a
// process.
type Feed struct {
	db   *store.DB
	log  *slog.Logger
	name string // among followers

	mu       sync.Mutex
	readers  map[string]map[chan struct{}]struct{} // by chain
	progress map[string]json.RawMessage            // of chains with readers, since the last event
	fresh    map[string]bool                       // chains whose readers wait to be announced to
	news     chan struct{}                         // there are fresh chains
}

// NewFeed takes the address of its own connection from the pool.
func NewFeed(db *store.DB, log *slog.Logger) (*Feed, error) {
	if db == nil || log == nil {
		return nil, errors.New("audit feed: database and logger are required")
	}
	return &Feed{
		db: db, log: log, name: rand.Text(), readers: map[string]map[chan struct{}]struct{}{},
		progress: map[string]json.RawMessage{}, fresh: map[string]bool{}, news: make(chan struct{}, 1),
	}, nil
}

// Subscribe returns a channel that is ready after events of the chain were committed; many may have come
// for one wake. Subscribe first and read the rows then; the first wake comes by itself, once events are
// announced, so nothing in between is missed. cancel must be called, and may be called twice; the channel
// is never closed.
func (f *Feed) Subscribe(chain string) (wake <-chan struct{}, cancel func()) {
	ch := make(chan struct{}, 1)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.readers[chain] == nil {
		f.readers[chain] = map[chan struct{}]struct{}{}
		f.fresh[chain] = true
		ready(f.news)
	}
	f.readers[chain][ch] = struct{}{}
	return ch, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.readers[chain], ch)
		if len(f.readers[chain]) == 0 {
			delete(f.readers, chain)
			delete(f.progress, chain)
			delete(f.fresh, chain)
		}
	}
}

// Run listens until ctx ends and then returns nil. It reconnects by itself, at most 15 s apart.
func (f *Feed) Run(ctx context.Context) error {
	var following sync.WaitGroup
	following.Go(func() { f.follow(ctx) })
	defer following.Wait()
	return f.db.Hear(ctx, f.log, store.Hearing{
		Channels: []string{progressChannel, "steward_audit"},
		Up: func() {
			f.renew()   // a server that crashed has forgotten who follows
			f.wakeAll() // for what was committed while nobody listened
		},
		Down: func() {},
		Told: f.told,
	})
}

func (f *Feed) told(n *pgconn.Notification) {
	chain, about, _ := strings.Cut(n.Payload, " ")
	if n.Channel == progressChannel {
		f.keep(chain, json.RawMessage(about))
	} else { // about is the event's number
		f.drop(chain)
	}
	f.wake(chain)
}

func (f *Feed) wake(chain string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for ch := range f.readers[chain] {
		ready(ch)
	}
}

// wakeAll is for after a gap: progress from before it may be of a request that is over.
func (f *Feed) wakeAll() {
	f.mu.Lock()
	defer f.mu.Unlock()
	clear(f.progress)
	for _, chain := range f.readers {
		for ch := range chain {
			ready(ch)
		}
	}
}

// ready never blocks: a reader that has not yet taken its last wake will see these events with it.
func ready(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}
