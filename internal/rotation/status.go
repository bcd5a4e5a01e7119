package rotation

import (
	"context"
	"fmt"
	"slices"
	"time"

	"steward/internal/store"
)

// States of a key.
const (
	Sealing   = "sealing"   // every process seals with it
	Promoting = "promoting" // it is the first of the ring, and some process still seals with another
	Opening   = "opening"   // it opens what it has sealed
	Leaving   = "leaving"   // it is out of the ring, and some process still holds it
	Missing   = "missing"   // it is nowhere, and values are sealed with it
)

// Status is a ring as it stands.
type Status struct {
	Ring      string    `json:"ring"`
	Source    string    `json:"source"` // "keys file" or "environment", of the process that asks
	Keys      []Key     `json:"keys"`   // in the order of the ring
	Unmarked  int64     `json:"unmarked_rows"`
	Processes []Process `json:"processes"`
}

// Key is a key of a ring as it stands.
type Key struct {
	ID       string     `json:"id"`
	State    string     `json:"state"`
	InRing   bool       `json:"in_ring"`        // of the process that asks
	HeldBy   int        `json:"held_by"`        // processes
	SealsIn  int        `json:"seals_in"`       // processes
	Rows     *int64     `json:"rows,omitempty"` // values that it has sealed; unknown of the codec
	Known    *time.Time `json:"known_at,omitempty"`
	Promoted *time.Time `json:"promoted_at,omitempty"`
	Demoted  *time.Time `json:"demoted_at,omitempty"`
}

// Status looks at ring, processes and stored values. It changes nothing.
func (s *Service) Status(ctx context.Context) (Status, error) {
	living, err := s.processes(ctx)
	if err != nil {
		return Status{}, err
	}
	var rows map[string]int64
	if s.ring.Name == Secrets {
		if rows, err = s.Count(ctx); err != nil {
			return Status{}, err
		}
	}
	known, err := s.db.ListRingKeys(ctx, s.ring.Name)
	if err != nil {
		return Status{}, fmt.Errorf("list keys: %w", err)
	}
	status := Status{Ring: s.ring.Name, Source: "environment", Unmarked: rows[Unmarked], Processes: living}
	if s.ring.File != "" {
		status.Source = "keys file"
	}
	for _, id := range s.mentioned(living, rows) {
		status.Keys = append(status.Keys, s.key(id, living, rows, known))
	}
	return status, nil
}

// mentioned lists the keys of the ring, then those that processes hold, then those that values name.
func (s *Service) mentioned(living []Process, rows map[string]int64) []string {
	ids := s.ring.Keys.KeyIDs()
	var others []string
	for _, p := range living {
		others = append(others, p.Keys...)
	}
	for id := range rows {
		others = append(others, id)
	}
	slices.Sort(others)
	for _, id := range others {
		if id != Unmarked && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

func (s *Service) key(id string, living []Process, rows map[string]int64, known []*store.ListRingKeysRow) Key {
	key := Key{ID: id, InRing: slices.Contains(s.ring.Keys.KeyIDs(), id)}
	for _, p := range living {
		if p.holds(id) {
			key.HeldBy++
		}
		if p.seals(id) {
			key.SealsIn++
		}
	}
	if rows != nil {
		n := rows[id]
		key.Rows = &n
	}
	for _, row := range known {
		if row.KeyID == id {
			key.Known, key.Promoted, key.Demoted = &row.KnownAt, row.PromotedAt, row.DemotedAt
		}
	}
	switch {
	case s.ring.Keys.KeyID() == id && key.SealsIn < len(living):
		key.State = Promoting
	case s.ring.Keys.KeyID() == id:
		key.State = Sealing
	case key.InRing:
		key.State = Opening
	case key.HeldBy > 0:
		key.State = Leaving
	default:
		key.State = Missing
	}
	return key
}
