package install

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"steward/internal/fault"
	"steward/internal/store"
)

// route names this operation among the idempotency keys.
const route = "POST /packages/install"

// replayed answers a repeat of an accepted request with what was accepted then.
func replayed(ctx context.Context, q *store.Queries, owner string, r Request) (Change, error) {
	var out Change
	if r.IdempotencyKey == "" {
		return out, nil
	}
	free, err := q.LockIdempotencyKey(ctx, owner+"\x1f"+route+"\x1f"+r.IdempotencyKey)
	if err != nil {
		return out, fmt.Errorf("lock idempotency key: %w", err)
	}
	if !free {
		return out, fault.New(fault.Conflict, "a request with this Idempotency-Key is still running").WithCode("idempotency_in_progress")
	}
	known, err := q.GetIdempotencyKey(ctx, store.GetIdempotencyKeyParams{Owner: owner, Route: route, Key: r.IdempotencyKey})
	if store.IsNoRows(err) {
		return out, nil
	}
	if err != nil {
		return out, fmt.Errorf("read idempotency key: %w", err)
	}
	if !bytes.Equal(known.BodyDigest, r.BodyDigest) {
		return out, fault.InvalidField("header.Idempotency-Key", "was used for another request").WithCode("idempotency_mismatch")
	}
	if err := json.Unmarshal(known.Response, &out); err != nil {
		return out, fmt.Errorf("decode recorded answer: %w", err)
	}
	out.Replayed = true
	return out, nil
}

func remember(ctx context.Context, q *store.Queries, owner string, r Request, c Change) error {
	if r.IdempotencyKey == "" {
		return nil
	}
	doc, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	err = q.PutIdempotencyKey(ctx, store.PutIdempotencyKeyParams{
		Owner: owner, Route: route, Key: r.IdempotencyKey, BodyDigest: r.BodyDigest, Status: 200, Response: doc,
	})
	if err != nil {
		return fmt.Errorf("store idempotency key: %w", err)
	}
	return nil
}
