package oauth

import (
	"context"
	"fmt"

	"steward/internal/audit"
	"steward/internal/automation"
	"steward/internal/fault"
	"steward/internal/secret"
	"steward/internal/store"
)

type revokedBody struct {
	Owner     string `json:"owner"`
	Provider  string `json:"provider"`
	Account   string `json:"account"`
	Version   int64  `json:"version"`
	Confirmed bool   `json:"confirmed"` // by the provider
}

// Disconnect ends owner's grant: the provider is asked to revoke it (RFC 7009), and it is forgotten here
// whatever comes of that. At Google a revocation ends the account's grant to this service as a whole. Faults:
// NotFound, and Upstream with CodeRevocationFailed when it is forgotten here alone.
func (s *Service) Disconnect(ctx context.Context, owner, provider, actor string) error {
	var failed error
	err := s.locked(ctx, owner, provider, func(q *store.Queries, row *store.Credential) error {
		if row == nil {
			return fault.New(fault.NotFound, "nothing is connected there")
		}
		failed = s.revoke(ctx, row)
		if err := q.DeleteCredential(ctx, row.ID); err != nil {
			return fmt.Errorf("delete credential: %w", err)
		}
		return audit.Put(ctx, q, audit.Event{
			Chain: automation.AuditSystem, Key: fmt.Sprintf("credential/%d/revoked", row.Version), Kind: audit.CredentialRevoked,
			Actor: actor, Body: revokedBody{owner, provider, row.Account, row.Version, failed == nil},
		})
	})
	switch {
	case err != nil:
		return fmt.Errorf("disconnect: %w", err)
	case failed != nil:
		return fault.Wrap(failed, fault.Upstream,
			"forgotten here, but the provider has not confirmed that the access ended: remove it in your account there").WithCode(CodeRevocationFailed)
	}
	return nil
}

// revoke asks the provider to end the grant of a credential: by its refresh token, else by its access token.
func (s *Service) revoke(ctx context.Context, row *store.Credential) error {
	a, err := s.authority(ctx, row.Owner, row.Provider)
	if err != nil {
		return err
	}
	token, hint, err := s.lasting(row)
	if err != nil {
		return err
	}
	return a.revoke(ctx, row, token, hint)
}

// lasting is the token whose end is the end of the grant.
func (s *Service) lasting(row *store.Credential) (token secret.String, hint string, err error) {
	refresh, err := s.refreshToken(row)
	if err != nil {
		return secret.String{}, "", err
	}
	if !refresh.IsZero() {
		return refresh, "refresh_token", nil
	}
	access, err := s.access(row)
	return access, "access_token", err
}
