package rotation

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"steward/internal/audit"
	"steward/internal/config"
	"steward/internal/fault"
	"steward/internal/store"
)

// followTime is what processes may take to read a changed keys file and say so.
const followTime = 5 * time.Second

// Promotion is how to promote.
type Promotion struct {
	Force  bool            // although a process that counts as living does not hold the key
	Within time.Duration   // how long processes may take to seal with it
	Told   func([]Process) // hears of those that do not yet
}

// Promote makes a key of the ring the one that seals, and waits until every process seals with it. It refuses
// (Conflict, key_not_held) as long as one could not open what the others would seal; when the wait is over
// it fails (Unavailable, not_followed) and may be repeated.
func (s *Service) Promote(ctx context.Context, id string, p Promotion) error {
	if err := s.editable(); err != nil {
		return err
	}
	if _, err := s.ring.reload(); err != nil {
		return err
	}
	ids := s.ring.Keys.KeyIDs()
	if !slices.Contains(ids, id) {
		return fault.New(fault.NotFound, "no key %s in the ring %s", id, s.ring.Name)
	}
	if err := s.heldByAll(ctx, id, p); err != nil {
		return err
	}
	if ids[0] != id {
		if err := s.recordPromoted(ctx, id, ids); err != nil {
			return err
		}
		if err := config.PromoteKey(s.ring.File, s.ring.Variable(), id); err != nil {
			return err
		}
	}
	bad, err := s.await(ctx, p.Within, func(o Process) bool { return o.seals(id) }, p.Told)
	if err != nil {
		return err
	}
	if len(bad) > 0 && !p.Force {
		return fault.New(fault.Unavailable, "key %s is promoted, but does not seal everywhere yet: %s", id, names(bad)).WithCode("not_followed")
	}
	return s.settle(ctx, id)
}

func (s *Service) heldByAll(ctx context.Context, id string, p Promotion) error {
	if p.Force {
		return nil
	}
	bad, err := s.await(ctx, followTime, func(o Process) bool { return o.holds(id) }, p.Told)
	if err == nil && len(bad) > 0 {
		err = fault.New(fault.Conflict, "key %s cannot seal yet, these do not hold it: %s", id, names(bad)).WithCode("key_not_held")
	}
	return err
}

// recordPromoted comes before the deed. What it does to the order is part of the event's key: the same
// command once more is the same fact, promoting the key again later is another.
func (s *Service) recordPromoted(ctx context.Context, id string, ids []string) error {
	known, err := s.db.ListRingKeys(ctx, s.ring.Name)
	if err != nil {
		return fmt.Errorf("list keys: %w", err)
	}
	last := ""
	for _, key := range known {
		if key.KeyID == id && key.PromotedAt != nil {
			last = key.PromotedAt.UTC().Format(time.RFC3339Nano)
		}
	}
	return s.record(ctx, s.db.Queries, audit.RingKeyPromoted, id+"/"+strings.Join(ids, ",")+"/"+last, map[string]any{"key": id, "before": ids[0]})
}

// settle writes down since when which key seals, as the processes do on their own.
func (s *Service) settle(ctx context.Context, sealing string) error {
	ids := s.ring.Keys.KeyIDs()
	return s.db.Tx(ctx, func(q *store.Queries) error {
		if err := q.NoteRingKeys(ctx, store.NoteRingKeysParams{Ring: s.ring.Name, KeyIDs: ids}); err != nil {
			return err
		}
		return q.SettleRingKeys(ctx, store.SettleRingKeysParams{Ring: s.ring.Name, Silence: silence, Sealing: sealing})
	})
}
