package rotation

import (
	"context"
	"errors"
	"fmt"
	"time"

	"steward/internal/fault"
	"steward/internal/store"
)

// Settled is how long ago a key of the ring of secrets must have sealed for the last time before it may go:
// what was sealed with it may have been on its way to the database.
const Settled = 5 * time.Minute

// secondLook is between the two looks whether anything is sealed with a key: who read a row just before it was
// sealed anew has opened it by then.
const secondLook = 2 * time.Second

// dispensable says why a key cannot go.
func (s *Service) dispensable(ctx context.Context, key *store.ListRingKeysRow, r Retirement) error {
	sealing := s.ring.Keys.KeyID()
	if key.KeyID == sealing {
		return refuse("key %s seals: promote another one first", key.KeyID)
	}
	bad, err := s.await(ctx, followTime, func(p Process) bool { return p.seals(sealing) }, r.Told)
	if err != nil {
		return err
	}
	if len(bad) > 0 {
		return refuse("not every process seals with key %s: %s", sealing, names(bad))
	}
	last, sealed := lastSealed(key)
	age, err := s.age(ctx, r)
	if err != nil {
		return err
	}
	if ago := key.Now.Sub(last); sealed && ago < age {
		return refuse("key %s sealed until %s ago: wait another %s", key.KeyID, ago.Round(time.Second), (age - ago).Round(time.Second))
	}
	switch {
	case s.ring.Name == Secrets:
		return s.noRows(ctx, key.KeyID)
	case sealed:
		return s.noHistories(ctx, last, key.Now.Add(-age), r)
	}
	return nil
}

// age is how long ago a key must have sealed for the last time.
func (s *Service) age(ctx context.Context, r Retirement) (time.Duration, error) {
	switch {
	case r.Age != nil:
		return *r.Age, nil
	case s.ring.Name == Secrets:
		return Settled, nil
	case r.Histories == nil:
		return 0, errors.New("the codec's keys need histories to ask about")
	}
	age, err := r.Histories.retention(ctx)
	if err != nil {
		return 0, fault.Wrap(err, fault.Unavailable, "Temporal does not say how long it keeps histories: say how long ago the key must have sealed (--older-than)")
	}
	return age, nil
}

// lastSealed is until when a key may have sealed; false if it never did. Of a key that nobody added by command
// it is not known what it did before it was first seen.
func lastSealed(key *store.ListRingKeysRow) (time.Time, bool) {
	switch {
	case key.DemotedAt != nil:
		return *key.DemotedAt, true
	case key.PromotedAt != nil:
		return key.Now, true // it seals
	}
	return key.KnownAt, key.AddedAt == nil
}

// noRows refuses while a value may be sealed with the key. It looks twice.
func (s *Service) noRows(ctx context.Context, id string) error {
	for look := range 2 {
		if look > 0 {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(secondLook):
			}
		}
		counts, err := s.Count(ctx)
		if err != nil {
			return err
		}
		if n := counts[id] + counts[Unmarked]; n > 0 {
			return refuse("%d stored values are or may be sealed with key %s: rewrap first", n, id)
		}
	}
	return nil
}

// noHistories refuses while a workflow that began before the key had sealed for the last time may have a
// history. Our own rows know the runs, also those that a Reset has begun anew; Temporal knows every workflow.
// Who says how old is old enough can do without its answer.
func (s *Service) noHistories(ctx context.Context, last, finishedAfter time.Time, r Retirement) error {
	n, err := s.db.CountRunsWithin(ctx, store.CountRunsWithinParams{Before: last, FinishedAfter: finishedAfter})
	if err != nil {
		return fmt.Errorf("count runs: %w", err)
	}
	if n == 0 && r.Histories != nil {
		switch n, err = r.Histories.before(ctx, last); {
		case err != nil && r.Age == nil:
			return fault.Wrap(err, fault.Unavailable, "Temporal does not say which histories it keeps")
		case err != nil:
			s.log.WarnContext(ctx, "Temporal does not say which histories it keeps", "error", err)
		}
	}
	if n > 0 {
		return refuse("%d workflows began before %s and their histories may need the key", n, last.UTC().Format(time.RFC3339))
	}
	return nil
}

func refuse(format string, args ...any) error {
	return fault.New(fault.Conflict, format, args...).WithCode("key_needed")
}
