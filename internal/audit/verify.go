package audit

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/mod/sumdb/note"

	"steward/internal/store"
)

const (
	verifyChains = 1_000 // heads held at once
	verifyEvents = 5_000 // events held at once
)

// Verifier recomputes the chains outside the database and compares them with the signed checkpoints.
type Verifier struct {
	db   *store.DB
	keys note.Verifiers // nil: none known
	file string
}

// NewVerifier takes the public keys that may have signed (the present one and retired ones; none leaves
// checkpoints unverified) and the checkpoint file, "" if there is none. Without the file a rollback of
// the whole database cannot be seen.
func NewVerifier(db *store.DB, publicKeys []string, file string) (*Verifier, error) {
	if db == nil {
		return nil, errors.New("verifier: a database is required")
	}
	keys, err := verifiers(publicKeys)
	if err != nil {
		return nil, fmt.Errorf("verifier: public key: %w", err)
	}
	return &Verifier{db: db, keys: keys, file: file}, nil
}

// VerifyAll checks every chain and every checkpoint in one snapshot of the database; appends go on
// meanwhile. progress, if not nil, is told the number of events read so far.
func (v *Verifier) VerifyAll(ctx context.Context, progress func(events int64)) Report {
	return v.verify(ctx, "", func(q *store.Queries, s *scan) error {
		s.progress = progress
		if err := s.headless(ctx, q); err != nil {
			return err
		}
		for after := ""; ; {
			heads, err := q.ListChains(ctx, store.ListChainsParams{AfterChain: after, PageSize: verifyChains})
			if err != nil {
				return err
			}
			if len(heads) > 0 {
				if err := s.chains(ctx, q, heads, position{after, math.MaxInt64}); err != nil {
					return err
				}
				after = heads[len(heads)-1].Chain
			}
			if len(heads) < verifyChains {
				s.lost()
				return nil
			}
		}
	})
}

// VerifyChain checks one chain, and the signatures of all checkpoints. A chain that neither the database
// nor a checkpoint knows is valid and empty.
func (v *Verifier) VerifyChain(ctx context.Context, chain string) Report {
	return v.verify(ctx, chain, func(q *store.Queries, s *scan) error {
		head, err := q.GetChain(ctx, chain)
		if store.IsNoRows(err) {
			s.lost()
			return nil
		}
		if err != nil {
			return err
		}
		return s.chains(ctx, q, []*store.AuditChain{head}, position{chain, math.MinInt64})
	})
}

func (v *Verifier) verify(ctx context.Context, only string, fn func(*store.Queries, *scan) error) Report {
	start := time.Now()
	r := Report{Findings: []Finding{}}
	snapshot := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	err := pgx.BeginTxFunc(ctx, v.db.Pool, snapshot, func(tx pgx.Tx) error {
		q := v.db.WithTx(tx)
		signed, err := v.readSigned(ctx, q, only, &r)
		if err != nil {
			return err
		}
		return fn(q, &scan{signed: signed, report: &r})
	})
	if err != nil {
		r.unsure("the database could not be read to the end: %v", err)
	}
	r.Elapsed = time.Since(start)
	return r
}
