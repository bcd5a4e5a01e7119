package connector

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"

	"steward/internal/fault"
	"steward/internal/idempotency"
	"steward/internal/store"
)

// once names a connect call. Secrets do not count: a digest of a short password gives it away. What was saved has
// passed its test, so a call that differs in nothing else cannot have meant another account.
func (f Filled) once(name, place string, settings Settings) (idempotency.Once, error) {
	said := map[string]string{}
	for _, field := range f.Kind.Form.Fields {
		if !field.Hidden() {
			said[field.Name] = settings.Text(field.Name)
		}
	}
	doc, err := json.Marshal([]any{f.Kind.Name, name, place, said})
	if err != nil {
		return idempotency.Once{}, fmt.Errorf("digest settings: %w", err)
	}
	sum := sha256.Sum256(doc)
	return idempotency.Once{Route: connectRoute, Key: f.Key, Digest: sum[:]}, nil
}

// earlier is what the same Idempotency-Key has connected; nil if it has not yet.
func (c *Connections) earlier(ctx context.Context, owner string, once idempotency.Once) (row *store.Connection, err error) {
	if once.Key == "" {
		return nil, nil
	}
	err = c.db.Tx(ctx, func(q *store.Queries) error {
		row, err = find(ctx, q, owner, once)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("look for earlier connection: %w", err)
	}
	return row, nil
}

func find(ctx context.Context, q *store.Queries, owner string, once idempotency.Once) (*store.Connection, error) {
	var id string
	if found, err := once.Find(ctx, q, owner, &id); err != nil || !found {
		return nil, err
	}
	row, err := q.GetConnection(ctx, store.GetConnectionParams{ID: id, Owner: owner})
	if store.IsNoRows(err) {
		return nil, fault.New(fault.Conflict, "what this Idempotency-Key connected is disconnected again").WithCode(CodeGone)
	}
	if err != nil {
		return nil, fmt.Errorf("read connection: %w", err)
	}
	return row, nil
}
