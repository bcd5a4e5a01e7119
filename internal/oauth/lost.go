package oauth

import (
	"context"
	"errors"
	"fmt"
	"time"

	"steward/internal/egress"
	"steward/internal/store"
)

// A provider that rotates refresh tokens has used up the old one when it answers. If the process dies before it
// has stored the answer, the new one is gone, and only the provider can help: most take the old one once more
// within a grace of seconds to a minute, because answers get lost on networks too. So each question is written down
// before it is put, and another process puts it again at once when it finds that whoever asked is dead. What remains:
// a provider without any grace ends the grant, and a person consents again; what needs the credential waits
// meanwhile, and nothing is done twice.

const (
	lostAge  = 2 * time.Second // after which a question that nobody is putting was lost
	lostTick = 2 * time.Second
)

// intend notes a question beside the transaction that holds the credential, so that the note outlives it.
func (s *Service) intend(ctx context.Context, row *store.Credential) error {
	if err := s.db.BeginRefresh(ctx, store.BeginRefreshParams{CredentialID: row.ID, Version: row.Version}); err != nil {
		return fmt.Errorf("note refresh: %w", err)
	}
	return nil
}

// concluded drops the note when the provider has answered that it gives nothing, or was never asked: no token was lost
// then.
func (s *Service) concluded(ctx context.Context, row *store.Credential, err error) error {
	if _, refused := errors.AsType[*ConsentError](err); !refused && !errors.Is(err, errAnswered) && !errors.Is(err, egress.ErrDenied) {
		return nil
	}
	if err := s.db.EndRefresh(ctx, row.ID); err != nil {
		return fmt.Errorf("drop note of refresh: %w", err)
	}
	return nil
}

// Mend puts questions again whose askers have died, until ctx ends. Every process runs it; a credential that
// somebody holds is left to them.
func (s *Service) Mend(ctx context.Context) error {
	tick := time.NewTicker(lostTick)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if err := s.MendOnce(ctx); err != nil && ctx.Err() == nil {
			s.log.WarnContext(ctx, "lost refreshes not looked for", "error", err)
		}
	}
}

// MendOnce does so for those that are lost now.
func (s *Service) MendOnce(ctx context.Context) error {
	lost, err := s.db.ListLostRefreshes(ctx, lostAge)
	if err != nil {
		return fmt.Errorf("list lost refreshes: %w", err)
	}
	for _, c := range lost {
		if _, _, err := s.Refresh(ctx, c.Owner, c.Provider, c.Version); err != nil {
			s.log.WarnContext(ctx, "lost refresh not mended", "provider", c.Provider, "credential", c.ID, "error", err)
			continue
		}
		s.log.InfoContext(ctx, "lost refresh mended", "provider", c.Provider, "credential", c.ID)
	}
	return nil
}
