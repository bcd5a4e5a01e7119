package vault

import (
	"cmp"
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"steward/internal/store"
)

// flushEvery is how long a use may be known to one process alone; a crash loses as much.
const flushEvery = 10 * time.Second

// use is one value, used.
type use struct {
	place

	name string
}

// uses are those not written down yet.
type uses struct {
	mu   sync.Mutex
	last map[use]time.Time
}

// Used notes that values were used, now. It costs no round trip: Run writes it down later.
func (v *Vault) Used(owner string, server int64, names ...string) {
	v.uses.mu.Lock()
	defer v.uses.mu.Unlock()
	if v.uses.last == nil {
		v.uses.last = map[use]time.Time{}
	}
	for _, name := range names {
		v.uses.last[use{place{owner, server}, name}] = time.Now()
	}
}

// Run writes uses down until ctx ends, and what is left then.
func (v *Vault) Run(ctx context.Context, log *slog.Logger) error {
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushEvery)
			defer cancel()
			return v.flush(last)
		case <-tick.C:
			if err := v.flush(ctx); err != nil {
				log.WarnContext(ctx, "uses of secrets not written down yet", "error", err)
			}
		}
	}
}

// flush writes down what is noted; on error it stays noted.
func (v *Vault) flush(ctx context.Context) error {
	v.uses.mu.Lock()
	noted := v.uses.last
	v.uses.last = nil
	v.uses.mu.Unlock()
	if len(noted) == 0 {
		return nil
	}
	keys := slices.SortedFunc(maps.Keys(noted), func(a, b use) int { // one order for all processes
		return cmp.Or(cmp.Compare(a.owner, b.owner), cmp.Compare(a.server, b.server), cmp.Compare(a.name, b.name))
	})
	var p store.NoteSecretsUsedParams
	for _, k := range keys {
		p.Owners, p.Servers, p.Names, p.Times = append(p.Owners, k.owner), append(p.Servers, k.server), append(p.Names, k.name), append(p.Times, noted[k])
	}
	err := v.db.NoteSecretsUsed(ctx, p)
	if err == nil {
		return nil
	}
	v.uses.mu.Lock()
	defer v.uses.mu.Unlock()
	if v.uses.last == nil {
		v.uses.last = map[use]time.Time{}
	}
	for k, at := range noted {
		if at.After(v.uses.last[k]) {
			v.uses.last[k] = at
		}
	}
	return wrap("note uses of secrets", err)
}
