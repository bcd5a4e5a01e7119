package install

import (
	"context"
	"fmt"
	"time"

	"steward/internal/fault"
	"steward/internal/store"
)

// glance is how often a waiting caller's row is read: a change takes seconds.
const glance = 250 * time.Millisecond

// Outcome is how far a change has come.
type Outcome struct {
	Package *store.Package // nil once it is removed
	Done    bool
	Err     error // a fault, for a change that did not come about
}

// Wait returns when the change is over, or undone after limit. An error is only ours or ctx's.
func (s *Service) Wait(ctx context.Context, c Change, limit time.Duration) (Outcome, error) {
	until := time.NewTimer(limit)
	defer until.Stop()
	look := time.NewTicker(glance)
	defer look.Stop()
	for {
		out, err := s.look(ctx, c)
		if err != nil || out.Done {
			return out, err
		}
		select {
		case <-look.C:
		case <-until.C:
			return out, nil
		case <-ctx.Done():
			return out, ctx.Err()
		}
	}
}

func (s *Service) look(ctx context.Context, c Change) (Outcome, error) {
	row, err := s.db.GetPackage(ctx, c.Package)
	if store.IsNoRows(err) {
		return Outcome{Done: true}, nil
	}
	if err != nil {
		return Outcome{}, fmt.Errorf("read package: %w", err)
	}
	out := Outcome{Package: row, Done: row.WorkflowID != c.Workflow || !Changing(row.Status)}
	if row.WorkflowID == c.Workflow && out.Done {
		out.Err = Failure(row)
	}
	return out, nil
}

// Failure is why the last change of a package did not come about; nil if it did.
func Failure(row *store.Package) error {
	if row.Error == "" {
		return nil
	}
	kind := fault.Kind(row.ErrorCode)
	switch kind {
	case fault.Invalid, fault.NotFound, fault.Conflict, fault.Upstream, fault.Unavailable:
		return fault.New(kind, "%s", row.Error)
	}
	return fault.New(fault.Upstream, "%s", row.Error).WithCode(row.ErrorCode)
}
