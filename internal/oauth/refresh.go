package oauth

import (
	"context"
	"errors"
	"strconv"
	"time"

	"golang.org/x/oauth2"

	"steward/internal/secret"
	"steward/internal/store"
)

const (
	earlier     = 5 * time.Minute  // before its end a token is renewed
	refreshTime = 25 * time.Second // for the wait for a place and for the row, the provider, and storing
	earlyPause  = 30 * time.Second // between attempts to renew a token that still works
)

// Token returns owner's access token and its version, renewed if it ends within five minutes. While that
// fails, a token that still works goes on being used. The error is a *ConsentError when a person must consent
// first, a fault while the provider fails (Upstream, with the wait that it asked for; Unavailable), or the
// database's.
func (s *Service) Token(ctx context.Context, owner, provider string) (secret.String, int64, error) {
	a, err := s.authority(ctx, owner, provider)
	if err != nil {
		return secret.String{}, 0, err
	}
	row, err := s.find(ctx, owner, provider)
	if err == nil {
		err = usable(a, row)
	}
	if err != nil {
		return secret.String{}, 0, err
	}
	if time.Until(row.ExpiresAt) > earlier || time.Until(row.ExpiresAt) > 0 && (row.RefreshSealed == nil || s.paused(row.ID)) {
		token, err := s.access(row)
		return token, row.Version, err
	}
	token, version, err := s.Refresh(ctx, owner, provider, row.Version)
	if _, ended := errors.AsType[*ConsentError](err); err == nil || ended || time.Until(row.ExpiresAt) <= 0 {
		return token, version, err
	}
	s.log.WarnContext(ctx, "access token not renewed before its time", "provider", provider, "credential", row.ID, "error", err)
	s.early.Store(row.ID, time.Now().Add(earlyPause))
	token, err = s.access(row)
	return token, row.Version, err
}

func (s *Service) paused(id int64) bool {
	value, _ := s.early.Load(id)
	until, ok := value.(time.Time)
	return ok && time.Now().Before(until)
}

// Refresh returns an access token of a later version than stale, which the provider's API has refused. If
// there is one already, the provider is not asked. The provider sees one refresh at a time per credential,
// whoever asks for it; its answer is stored before anybody gets it. Errors are those of Token. After
// invalid_grant (RFC 6749 §5.2) the provider is not asked again before a person has consented.
func (s *Service) Refresh(ctx context.Context, owner, provider string, stale int64) (secret.String, int64, error) {
	a, err := s.renews(ctx, owner, provider)
	if err != nil {
		return secret.String{}, 0, err
	}
	// Waiters of this process share one flight, which one of them giving up does not end.
	key := provider + "/" + strconv.FormatInt(stale, 10) + "/" + owner
	done := s.flights.DoChan(key, func() (any, error) {
		flight, cancel := context.WithTimeout(context.WithoutCancel(ctx), refreshTime)
		defer cancel()
		return s.refresh(flight, a, owner, stale)
	})
	select {
	case <-ctx.Done():
		return secret.String{}, 0, ctx.Err()
	case result := <-done:
		if result.Err != nil {
			return secret.String{}, 0, result.Err
		}
		row, _ := result.Val.(*store.Credential)
		token, err := s.access(row)
		return token, row.Version, err
	}
}

// refresh asks the provider under the row's lock, unless somebody else has done so.
func (s *Service) refresh(ctx context.Context, a authority, owner string, stale int64) (*store.Credential, error) {
	var before, after *store.Credential
	var answer *oauth2.Token
	var ended *ConsentError
	err := s.locked(ctx, owner, a.name(), func(q *store.Queries, row *store.Credential) error {
		if err := usable(a, row); err != nil {
			return err
		}
		before, after = row, row
		if row.Version > stale && time.Until(row.ExpiresAt) > 0 {
			return nil
		}
		var err error
		answer, err = s.renew(ctx, a, row)
		if over, ok := errors.AsType[*ConsentError](err); ok {
			ended = over
			return s.end(ctx, q, row, over)
		}
		if err == nil {
			after, err = s.storeRenewed(ctx, q, row, answer)
		}
		return err
	})
	switch {
	case err == nil && ended != nil:
		return nil, ended
	case err != nil && answer != nil:
		// The provider has answered and the database has not: a rotated refresh token exists here alone.
		s.log.WarnContext(ctx, "renewed token not stored, once more", "provider", a.name(), "credential", before.ID, "error", err)
		return s.storeLate(ctx, a, before, answer)
	}
	return after, err
}
