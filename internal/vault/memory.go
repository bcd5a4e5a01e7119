package vault

import (
	"context"
	"sync"

	"steward/internal/secret"
	"steward/internal/store"
)

// Kept is what one user has stored for one server.
type Kept struct {
	Values  map[string]secret.String
	Version int64 // grows with every change, removals too; 0: nothing was ever stored
}

// place is one set's.
type place struct {
	owner  string
	server int64
}

// sealedSet is a set as the database has it. Memory holds values no more open than the database does.
type sealedSet struct {
	values  map[string][]byte
	version int64
}

// known is what memory has of a place: the set, nil when it must be read, and the version behind which nobody goes
// back.
type known struct {
	set    *sealedSet
	newest int64
}

// mostKnown bounds the memory; beyond it everything is read anew.
const mostKnown = 10_000

// memory is believed while changes are heard. What is read while a change comes in is not kept: it may be from before.
type memory struct {
	mu       sync.Mutex
	believed bool
	changes  uint64
	places   map[place]known
}

// Believe says whether changes are heard from now on (store.DB.Listen). Until it is first called with true, and while
// the last word was false, every For asks the database.
func (v *Vault) Believe(heard bool) {
	m := &v.memory
	m.mu.Lock()
	defer m.mu.Unlock()
	m.believed = heard
	m.changes++
	clear(m.places)
}

// Forget drops what is in memory of one user and server: it has changed.
func (v *Vault) Forget(owner string, server int64) {
	m := &v.memory
	m.mu.Lock()
	defer m.mu.Unlock()
	m.changes++
	p := place{owner, server}
	if k, ok := m.places[p]; ok {
		m.places[p] = known{newest: k.newest}
	}
}

// For returns what owner has stored for the server, for the session or the call that it is for.
func (v *Vault) For(ctx context.Context, owner string, server int64) (Kept, error) {
	p := place{owner, server}
	set, before := v.memory.find(p)
	if set != nil {
		kept, err := v.open(p, set)
		if err == nil {
			return kept, nil
		}
		v.Forget(owner, server) // sealed anew since, and the old key has gone
	}
	set, err := v.read(ctx, p)
	if err != nil {
		return Kept{}, err
	}
	v.memory.keep(p, set, before)
	return v.open(p, set)
}

func (v *Vault) read(ctx context.Context, p place) (*sealedSet, error) {
	rows, err := v.db.GetSecrets(ctx, store.GetSecretsParams{Owner: p.owner, ServerID: p.server})
	if err != nil {
		return nil, wrap("read secrets", err)
	}
	set := &sealedSet{values: map[string][]byte{}}
	for _, r := range rows {
		set.version = r.Version
		if r.Name != nil {
			set.values[*r.Name] = r.ValueSealed
		}
	}
	return set, nil
}

func (v *Vault) open(p place, set *sealedSet) (Kept, error) {
	kept := Kept{Values: make(map[string]secret.String, len(set.values)), Version: set.version}
	for name, sealed := range set.values {
		value, err := v.ring.Open(Change{Owner: p.owner, Server: p.server, Name: name}.binding(), sealed)
		if err != nil {
			return Kept{}, wrap("open secret", err)
		}
		kept.Values[name] = secret.New(string(value))
	}
	return kept, nil
}

func (m *memory) find(p place) (set *sealedSet, changes uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.places[p].set, m.changes
}

// keep takes note of what was read since there had been so many changes. Of two reads that overtake each other the
// newer one stays, so that nobody who has seen a version finds an older one later.
func (m *memory) keep(p place, set *sealedSet, before uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	k := m.places[p]
	if !m.believed || set.version < k.newest {
		return
	}
	if k.newest < set.version {
		k = known{newest: set.version}
	}
	if m.changes == before {
		k.set = set
	}
	if m.places == nil || len(m.places) >= mostKnown {
		m.places = map[place]known{}
	}
	m.places[p] = k
}
