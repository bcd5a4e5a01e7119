package rotation

import (
	"context"
	"fmt"
	"slices"
	"time"

	"steward/internal/audit"
	"steward/internal/config"
	"steward/internal/fault"
	"steward/internal/store"
)

// Retirement is how to retire.
type Retirement struct {
	Age       *time.Duration  // how long ago the key must have sealed for the last time; nil: Settled, of the codec Temporal's retention
	Histories *Histories      // of the codec
	Within    time.Duration   // how long processes may take to let go of it
	Told      func([]Process) // hears of those that have not yet
}

// Retire takes a key out of the ring for good and waits until no process holds it. It refuses (Conflict) while
// the key seals somewhere or something may still be sealed with it, and says what. It may be repeated.
func (s *Service) Retire(ctx context.Context, id string, r Retirement) error {
	if err := s.editable(); err != nil {
		return err
	}
	if _, err := s.ring.reload(); err != nil {
		return err
	}
	key, err := s.known(ctx, id)
	if err != nil {
		return err
	}
	if slices.Contains(s.ring.Keys.KeyIDs(), id) {
		if err := s.dispensable(ctx, key, r); err != nil {
			return err
		}
		if err := s.record(ctx, s.db.Queries, audit.RingKeyRetired, id+"/"+key.KnownAt.UTC().Format(time.RFC3339Nano), map[string]any{"key": id}); err != nil {
			return err
		}
		if err := config.RetireKey(s.ring.File, s.ring.Variable(), id); err != nil {
			return err
		}
	}
	bad, err := s.await(ctx, r.Within, func(p Process) bool { return !p.holds(id) }, r.Told)
	if err != nil {
		return err
	}
	if len(bad) > 0 {
		return fault.New(fault.Unavailable, "key %s is out of the ring, but some still hold it: %s", id, names(bad)).WithCode("not_followed")
	}
	return s.db.RetireRingKey(ctx, store.RetireRingKeyParams{Ring: s.ring.Name, KeyID: id})
}

// known is what is written down of a key, of one of the ring in any case.
func (s *Service) known(ctx context.Context, id string) (*store.ListRingKeysRow, error) {
	if err := s.settle(ctx, s.ring.Keys.KeyID()); err != nil {
		return nil, fmt.Errorf("note keys: %w", err)
	}
	all, err := s.db.ListRingKeys(ctx, s.ring.Name)
	if err != nil {
		return nil, fmt.Errorf("list keys: %w", err)
	}
	i := slices.IndexFunc(all, func(key *store.ListRingKeysRow) bool { return key.KeyID == id })
	if i < 0 {
		return nil, fault.New(fault.NotFound, "no key %s in the ring %s", id, s.ring.Name)
	}
	return all[i], nil
}
