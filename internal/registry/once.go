package registry

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"steward/internal/fault"
	"steward/internal/store"
)

// Once makes the repetition of a request find what the first one has made. Without a key it does nothing.
type Once struct {
	Route  string // "POST /mcp/servers"
	Key    string // the caller's Idempotency-Key
	Digest []byte // of the body
}

// found is the server that an earlier request with the key has added, 0 if there was none.
func (o Once) found(ctx context.Context, q *store.Queries, owner string) (int64, error) {
	if o.Key == "" {
		return 0, nil
	}
	free, err := q.LockIdempotencyKey(ctx, owner+"\x1f"+o.Route+"\x1f"+o.Key)
	if err != nil {
		return 0, fmt.Errorf("lock idempotency key: %w", err)
	}
	if !free {
		return 0, fault.New(fault.Conflict, "a request with this Idempotency-Key is still running").WithCode("idempotency_in_progress")
	}
	known, err := q.GetIdempotencyKey(ctx, store.GetIdempotencyKeyParams{Owner: owner, Route: o.Route, Key: o.Key})
	if store.IsNoRows(err) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read idempotency key: %w", err)
	}
	if !bytes.Equal(known.BodyDigest, o.Digest) {
		return 0, fault.InvalidField("header.Idempotency-Key", "was used for another request").WithCode("idempotency_mismatch")
	}
	var id int64
	if err := json.Unmarshal(known.Response, &id); err != nil {
		return 0, fmt.Errorf("decode recorded answer: %w", err)
	}
	return id, nil
}

func (o Once) remember(ctx context.Context, q *store.Queries, owner string, id int64) error {
	if o.Key == "" {
		return nil
	}
	err := q.PutIdempotencyKey(ctx, store.PutIdempotencyKeyParams{
		Owner: owner, Route: o.Route, Key: o.Key, BodyDigest: o.Digest, Status: 201, Response: fmt.Append(nil, id),
	})
	if err != nil {
		return fmt.Errorf("store idempotency key: %w", err)
	}
	return nil
}
