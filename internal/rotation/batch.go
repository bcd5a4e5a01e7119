package rotation

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"steward/internal/secret"
)

// place is a value that needs to be sealed anew.
type place struct {
	key  []any
	size int64
}

type places []place

// fitting is as many of the first places as one transaction takes, at least one.
func (p places) fitting() places {
	size := int64(0)
	for i, one := range p {
		if size += one.size; i > 0 && size > batchBytes {
			return p[:i]
		}
	}
	return p
}

// stale finds the next values that another key has sealed; it locks nothing and fetches no value.
func (r *rewrap) stale(ctx context.Context, c column, behind []any) (places, error) {
	rows, err := r.db.Pool.Query(ctx, c.stale(behind != nil), append([]any{secret.Mark(r.ring.Keys.KeyID())}, behind...)...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (place, error) {
		values, err := row.Values()
		if err != nil {
			return place{}, err
		}
		size, _ := values[len(c.key)].(int32)
		return place{key: values[:len(c.key)], size: int64(size)}, nil
	})
}

// reseal seals the rows between two keys anew in one transaction and returns how many it met.
func (r *rewrap) reseal(ctx context.Context, c column, from, to []any) (met int, err error) {
	resealed := int64(0)
	err = pgx.BeginFunc(ctx, r.db.Pool, func(tx pgx.Tx) error {
		updates := &pgx.Batch{}
		arguments := append(append([]any{secret.Mark(r.ring.Keys.KeyID())}, from...), to...)
		rows, err := tx.Query(ctx, c.lock(), arguments...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for ; rows.Next(); met++ {
			values, err := rows.Values()
			if err != nil {
				return err
			}
			key := values[:len(c.key)]
			sealed, _ := values[len(c.key)].([]byte)
			renewed, changed, err := r.ring.Keys.Reseal(sealed)
			switch {
			case err != nil:
				r.fail(c, key, err)
			case changed:
				updates.Queue(c.update(), append([]any{renewed}, key...)...)
			}
		}
		if err := rows.Err(); err != nil || updates.Len() == 0 {
			return err
		}
		resealed = int64(updates.Len())
		return tx.SendBatch(ctx, updates).Close()
	})
	if err == nil {
		r.Resealed += resealed
	}
	return met, err
}

// rowName shows a primary key to people.
func rowName(key []any) string {
	parts := make([]string, len(key))
	for i, part := range key {
		if raw, ok := part.([]byte); ok {
			parts[i] = hex.EncodeToString(raw)
		} else {
			parts[i] = fmt.Sprint(part)
		}
	}
	return strings.Join(parts, "/")
}
