package oauth

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/oauth2"

	"steward/internal/audit"
	"steward/internal/automation"
	"steward/internal/store"
)

// renew asks the provider for new tokens. The error is a *ConsentError when it says no for good.
func (s *Service) renew(ctx context.Context, a authority, row *store.Credential) (*oauth2.Token, error) {
	token, err := s.refreshToken(row)
	if err != nil {
		return nil, err
	}
	switch {
	case token.IsZero() && time.Until(row.ExpiresAt) > 0: // refused before its time
		return nil, over(a, row)
	case token.IsZero():
		return nil, &ConsentError{Provider: a.name(), Version: row.Version, Reason: a.title() + " has given no lasting access: consent again"}
	}
	if err := s.intend(ctx, row); err != nil {
		return nil, err
	}
	answer, err := a.refresh(ctx, row, token)
	if err != nil {
		return nil, errors.Join(err, s.concluded(ctx, row, err))
	}
	return answer, nil
}

type renewedBody struct {
	Owner    string `json:"owner"`
	Provider string `json:"provider"`
	Version  int64  `json:"version"`
}

func (s *Service) storeRenewed(ctx context.Context, q *store.Queries, row *store.Credential, answer *oauth2.Token) (*store.Credential, error) {
	tokens, err := s.seal(row.Owner, row.Provider, answer.AccessToken, answer.RefreshToken, row.RefreshSealed)
	if err != nil {
		return nil, err
	}
	renewed, err := q.RefreshCredential(ctx, store.RefreshCredentialParams{
		ID: row.ID, AccessSealed: tokens.access, RefreshSealed: tokens.refresh,
		Scopes: granted(answer, row.Scopes), ExpiresAt: expiry(answer),
	})
	if err != nil {
		return nil, fmt.Errorf("store renewed token: %w", err)
	}
	if err := q.EndRefresh(ctx, row.ID); err != nil {
		return nil, fmt.Errorf("drop note of refresh: %w", err)
	}
	return renewed, audit.Put(ctx, q, audit.Event{
		Chain: automation.AuditSystem, Key: fmt.Sprintf("credential/%d/refreshed", renewed.Version), Kind: audit.CredentialRefreshed,
		Actor: actor, Body: renewedBody{row.Owner, row.Provider, renewed.Version},
	})
}

// actor is who renews and ends credentials, in the audit log.
const actor = "oauth"

// storeLate stores an answer in a transaction of its own, unless another one was stored since, or this one
// after all.
func (s *Service) storeLate(ctx context.Context, a authority, before *store.Credential, answer *oauth2.Token) (*store.Credential, error) {
	var after *store.Credential
	err := s.db.Tx(ctx, func(q *store.Queries) error {
		row, err := lock(ctx, q, before.Owner, before.Provider)
		if err != nil {
			return err
		}
		if err := usable(a, row); err != nil {
			return err
		}
		if after = row; row.Version == before.Version {
			after, err = s.storeRenewed(ctx, q, row, answer)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store renewed token: %w", err)
	}
	return after, nil
}

type endedBody struct {
	Owner    string `json:"owner"`
	Provider string `json:"provider"`
	Version  int64  `json:"version"`
	Reason   string `json:"reason"`
}

// end marks a credential as one that a person must renew.
func (s *Service) end(ctx context.Context, q *store.Queries, row *store.Credential, over *ConsentError) error {
	if err := q.EndCredential(ctx, store.EndCredentialParams{ID: row.ID, Reason: over.Reason}); err != nil {
		return fmt.Errorf("end credential: %w", err)
	}
	return audit.Put(ctx, q, audit.Event{
		Chain: automation.AuditSystem, Key: fmt.Sprintf("credential/%d/ended", row.Version), Kind: audit.CredentialEnded,
		Actor: actor, Body: endedBody{row.Owner, row.Provider, row.Version, over.Reason},
	})
}
