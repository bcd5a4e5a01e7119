package rotation

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"steward/internal/secret"
)

// Unmarked stands for the key of values that were sealed before keys were marked: it could be any.
const Unmarked = ""

// Count says for each key how many stored values it has sealed, by the marks in front of them.
func (s *Service) Count(ctx context.Context) (map[string]int64, error) {
	byKey := map[string]int64{}
	for _, c := range sealedColumns() {
		rows, err := s.db.Pool.Query(ctx, c.count())
		if err != nil {
			return nil, fmt.Errorf("count %s: %w", c, err)
		}
		var mark []byte
		var n int64
		_, err = pgx.ForEachRow(rows, []any{&mark, &n}, func() error {
			id, _ := secret.SealedBy(mark)
			byKey[id] += n
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("count %s: %w", c, err)
		}
	}
	return byKey, nil
}
