package oauth

import (
	"context"
	"fmt"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"steward/internal/audit"
	"steward/internal/automation"
	"steward/internal/fault"
	"steward/internal/oauth/remote"
	"steward/internal/secret"
	"steward/internal/store"
)

// Given are tokens for a remote server that somebody else got for a user, or a client that a person has registered
// at its authorization server, or both.
type Given struct {
	Server       int64
	Owner        string // whose tokens
	Actor        string // who brings them
	Shared       bool   // the client is for everybody who may call the server: an admin says so
	TokenType    string
	Access       secret.String // zero: the client alone
	Refresh      secret.String
	ExpiresIn    time.Duration // 0: an hour
	Scopes       []string
	ClientID     string
	ClientSecret secret.String
}

// Give stores them, for the authority that the server has now; it is found out first. Faults are Calibrate's, and
// Invalid for a token that is not a Bearer token.
func (s *Service) Give(ctx context.Context, g Given) error {
	if g.TokenType != "" && !strings.EqualFold(g.TokenType, "bearer") {
		return fault.InvalidField("body.tokenType", "must be Bearer")
	}
	a, err := s.again(ctx, g.Owner, g.Server)
	if err != nil {
		return err
	}
	if g.ClientID != "" {
		if err := s.giveClient(ctx, a, g); err != nil {
			return err
		}
	}
	if g.Access.IsZero() {
		return nil
	}
	granted := grant{
		token:  &oauth2.Token{AccessToken: g.Access.Reveal(), RefreshToken: g.Refresh.Reveal()},
		scopes: remote.Union(g.Scopes, nil), issuer: a.issuer, resource: a.resource, client: g.ClientID,
	}
	if g.ExpiresIn > 0 {
		granted.token.Expiry = time.Now().Add(g.ExpiresIn)
	}
	if err := s.putGiven(ctx, a, g, granted); err != nil {
		return fmt.Errorf("store given tokens: %w", err)
	}
	s.tell(ctx, g.Owner)
	return nil
}

func (s *Service) giveClient(ctx context.Context, a *serverAuthority, g Given) error {
	owner := g.Owner
	if g.Shared {
		owner = ""
	}
	r, err := a.client.Register(ctx, &a.metadata, s.app(s.redirectOf(remote.Given, a.issuer)), &remote.Registration{ClientID: g.ClientID, Secret: g.ClientSecret})
	if err != nil {
		return a.failed(err)
	}
	replaces := ""
	row, err := s.db.GetOAuthClient(ctx, store.GetOAuthClientParams{Issuer: a.issuer, Owner: owner})
	switch {
	case err != nil && !store.IsNoRows(err):
		return fmt.Errorf("read registration: %w", err)
	case err == nil && row.Owner == owner:
		replaces = row.ClientID
	}
	_, err = s.keepRegistration(ctx, a.issuer, owner, replaces, r)
	return err
}

func (s *Service) putGiven(ctx context.Context, a *serverAuthority, g Given, granted grant) error {
	return s.db.Tx(ctx, func(q *store.Queries) error {
		old, err := lock(ctx, q, g.Owner, a.name())
		if err != nil {
			return err
		}
		row, err := s.replace(ctx, q, old, g.Owner, a.name(), granted)
		if err != nil {
			return err
		}
		return audit.Put(ctx, q, audit.Event{
			Chain: automation.AuditSystem, Key: fmt.Sprintf("credential/%d/granted", row.Version), Kind: audit.CredentialGranted,
			Actor: g.Actor, Body: grantedBody{Owner: row.Owner, Provider: row.Provider, Scopes: row.Scopes, Version: row.Version},
		})
	})
}
