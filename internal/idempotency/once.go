// Package idempotency makes the repetition of a request get what the first one got, for 24 hours
// (draft-ietf-httpapi-idempotency-key-header-07).
package idempotency

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"steward/internal/fault"
	"steward/internal/store"
)

// The codes of the faults of Find.
const (
	CodeInProgress = "idempotency_in_progress" // Conflict
	CodeMismatch   = "idempotency_mismatch"    // Invalid
)

// Once names a request of an owner. Without a key it is like no other.
type Once struct {
	Route  string // "POST /mcp/servers"
	Key    string // the caller's Idempotency-Key
	Digest []byte // of the body
}

// Find reads into answer what an earlier request with the key has kept, and reports whether there was one. Until the
// transaction of q ends, others with the key are told to wait. Faults: Conflict while an earlier one still runs,
// Invalid for a key that was used for another body.
func (o Once) Find(ctx context.Context, q *store.Queries, owner string, answer any) (bool, error) {
	if o.Key == "" {
		return false, nil
	}
	free, err := q.LockIdempotencyKey(ctx, owner+"\x1f"+o.Route+"\x1f"+o.Key)
	if err != nil {
		return false, fmt.Errorf("lock idempotency key: %w", err)
	}
	if !free {
		return false, fault.New(fault.Conflict, "a request with this Idempotency-Key is still running").WithCode(CodeInProgress)
	}
	known, err := q.GetIdempotencyKey(ctx, store.GetIdempotencyKeyParams{Owner: owner, Route: o.Route, Key: o.Key})
	if store.IsNoRows(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read idempotency key: %w", err)
	}
	if !bytes.Equal(known.BodyDigest, o.Digest) {
		return false, fault.InvalidField("header.Idempotency-Key", "was used for another request").WithCode(CodeMismatch)
	}
	if err := json.Unmarshal(known.Response, answer); err != nil {
		return false, fmt.Errorf("decode recorded answer: %w", err)
	}
	return true, nil
}

// Keep stores the answer to a request with the HTTP status that it got, in the transaction of what the request has
// done.
func (o Once) Keep(ctx context.Context, q *store.Queries, owner string, status int32, answer any) error {
	if o.Key == "" {
		return nil
	}
	doc, err := json.Marshal(answer)
	if err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	err = q.PutIdempotencyKey(ctx, store.PutIdempotencyKeyParams{
		Owner: owner, Route: o.Route, Key: o.Key, BodyDigest: o.Digest, Status: status, Response: doc,
	})
	if err != nil {
		return fmt.Errorf("store idempotency key: %w", err)
	}
	return nil
}
