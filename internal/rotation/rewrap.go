package rotation

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"

	"steward/internal/audit"
	"steward/internal/fault"
)

const (
	batch      = 200     // rows of a transaction at most
	batchBytes = 8 << 20 // of values in a transaction, unless one alone is larger
	passPause  = 100 * time.Millisecond
)

// Rewrapped is how far a rewrap has come.
type Rewrapped struct {
	Key      string    `json:"key"`      // that seals them now
	Resealed int64     `json:"resealed"` // values sealed anew
	Total    int64     `json:"total"`    // values that needed it at the beginning
	Failures []Failure `json:"failures"` // values that no key of the ring opens; they stay as they are
	Column   string    `json:"-"`        // where it is
}

// Failure names a value that could not be sealed anew.
type Failure struct {
	Column string `json:"column"` // table.column
	Row    string `json:"row"`    // its primary key
	Reason string `json:"reason"`
}

// Rewrap seals anew with the first key every stored value that another key has sealed, and tells told after
// each batch. It works beside readers and writers and beside other rewraps: a row is locked for the
// milliseconds in which it is sealed. What was done stays done when it is cut off.
func (s *Service) Rewrap(ctx context.Context, told func(Rewrapped)) (Rewrapped, error) {
	if s.ring.Name != Secrets {
		return Rewrapped{}, fault.New(fault.Conflict, "histories cannot be rewritten: keep the old keys of the codec until the histories have gone").
			WithCode("not_rewrappable")
	}
	leave, err := s.join(ctx)
	if err != nil {
		return Rewrapped{}, err
	}
	defer leave()
	if err := s.holdsWhatSeals(ctx); err != nil {
		return Rewrapped{}, err
	}
	counts, err := s.Count(ctx)
	if err != nil {
		return Rewrapped{}, err
	}
	r := &rewrap{Service: s, told: told, failed: map[string]bool{}}
	for key, n := range counts {
		if key != s.ring.Keys.KeyID() {
			r.Total += n
		}
	}
	err = r.run(ctx)
	if r.Resealed > 0 || len(r.Failures) > 0 {
		err = errors.Join(err, s.recordRewrapped(ctx, r.Rewrapped))
	}
	return r.Rewrapped, err
}

// join makes us one of the processes: while we seal, our key is not retired, and when another is promoted we
// follow.
func (s *Service) join(ctx context.Context) (leave func(), err error) {
	holder, err := NewHolder(s.db, "rewrap", s.log, s.ring)
	if err != nil {
		return nil, err
	}
	if err := holder.announce(ctx); err != nil {
		return nil, fmt.Errorf("announce keys: %w", err)
	}
	ctx, stop := context.WithCancel(ctx)
	var holding sync.WaitGroup
	holding.Go(func() { holder.Run(ctx) })
	return func() {
		stop()
		holding.Wait()
	}, nil
}

func (s *Service) recordRewrapped(ctx context.Context, r Rewrapped) error {
	done, cancel := context.WithTimeout(context.WithoutCancel(ctx), announceTimeout)
	defer cancel()
	return s.record(done, s.db.Queries, audit.RingKeyRewrapped, uuid.NewString(), map[string]any{
		"key": r.Key, "resealed": r.Resealed, "failed": len(r.Failures),
	})
}

// rewrap is one Rewrap under way.
type rewrap struct {
	*Service
	Rewrapped

	told   func(Rewrapped)
	failed map[string]bool // rows that are in Failures
}

// run passes over all columns until a pass has met every row that needed it, under one and the same key.
func (r *rewrap) run(ctx context.Context) error {
	for {
		r.Key = r.ring.Keys.KeyID()
		missed := 0
		for _, c := range sealedColumns() {
			n, err := r.pass(ctx, c)
			if err != nil {
				return fmt.Errorf("rewrap %s: %w", c, err)
			}
			missed += n
		}
		if missed == 0 && r.Key == r.ring.Keys.KeyID() {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(passPause): // those who write the rows that were left out have the time of a transaction
		}
	}
}

// pass goes through a column once and returns how many rows it had to leave out.
func (r *rewrap) pass(ctx context.Context, c column) (missed int, err error) {
	r.Column = c.String()
	var behind []any
	for {
		found, err := r.stale(ctx, c, behind)
		if err != nil || len(found) == 0 {
			return missed, err
		}
		for len(found) > 0 {
			n := len(found.fitting())
			met, err := r.reseal(ctx, c, found[0].key, found[n-1].key)
			if err != nil {
				return missed, err
			}
			missed += max(0, n-met)
			behind, found = found[n-1].key, found[n:]
			r.told(r.Rewrapped)
		}
	}
}

// fail notes a row once.
func (r *rewrap) fail(c column, key []any, err error) {
	f := Failure{Column: c.String(), Row: rowName(key), Reason: fault.CodeOf(err)}
	if !r.failed[f.Column+"/"+f.Row] {
		r.failed[f.Column+"/"+f.Row] = true
		r.Failures = append(r.Failures, f)
	}
}
