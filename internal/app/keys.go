package app

import (
	"context"

	"steward/internal/rotation"
)

// holdKeys keeps the rings as the keys file has them and tells which keys we hold, until ctx ends: not before
// the last value is sealed.
func (s *shared) holdKeys(ctx context.Context, role string) error {
	rings := []rotation.Ring{{Name: rotation.Secrets, Keys: s.ring}, {Name: rotation.Codec, Keys: s.codec}}
	for i, r := range rings {
		rings[i].File = s.cfg.RingFile(r.Variable())
	}
	holder, err := rotation.NewHolder(s.db, role, s.log, rings...)
	if err != nil {
		return err
	}
	holder.Run(ctx)
	return nil
}
