package rotation

import (
	"context"
	"fmt"
	"slices"

	"steward/internal/audit"
	"steward/internal/config"
	"steward/internal/secret"
	"steward/internal/store"
)

// Add makes a key and puts it at the end of the ring: it opens and does not seal. A key that was added and has
// never sealed is what it returns instead of a further one, so it may be repeated.
func (s *Service) Add(ctx context.Context) (id string, err error) {
	if err := s.editable(); err != nil {
		return "", err
	}
	if _, err := s.ring.reload(); err != nil {
		return "", err
	}
	known, err := s.db.ListRingKeys(ctx, s.ring.Name)
	if err != nil {
		return "", fmt.Errorf("list keys: %w", err)
	}
	for _, key := range known {
		if key.AddedAt != nil && key.PromotedAt == nil && slices.Index(s.ring.Keys.KeyIDs(), key.KeyID) > 0 {
			return key.KeyID, nil
		}
	}
	text, err := config.NewKey()
	if err != nil {
		return "", err
	}
	key := secret.New(text)
	raw, err := secret.DecodeKey(key)
	if err != nil {
		return "", fmt.Errorf("read key: %w", err)
	}
	id = secret.KeyID(raw)
	// First what is known of the key, then the key: cut off between the two, a name without a key is left,
	// which nobody minds.
	err = s.db.Tx(ctx, func(q *store.Queries) error {
		if err := q.AddRingKey(ctx, store.AddRingKeyParams{Ring: s.ring.Name, KeyID: id}); err != nil {
			return err
		}
		return s.record(ctx, q, audit.RingKeyAdded, id, map[string]any{"key": id})
	})
	if err != nil {
		return "", fmt.Errorf("note key: %w", err)
	}
	return id, config.AddKey(s.ring.File, s.ring.Variable(), key)
}
