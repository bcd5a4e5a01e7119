package oauth

import (
	"context"
	"fmt"
	"time"

	"steward/internal/secret"
	"steward/internal/store"
)

// Credential is what is known of a user's grant, without its tokens.
type Credential struct {
	ID       int64
	Owner    string
	Provider string
	Subject  string // the provider's id of the account
	Account  string // its mail address
	Scopes   []string
	Active   bool
	Reason   string    // why not
	Version  int64     // grows with every new token, also across a disconnect
	Expires  time.Time // of the access token
}

// active is the state of a credential in the table that can be used.
const active = "active"

func known(row *store.Credential) Credential {
	return Credential{
		ID: row.ID, Owner: row.Owner, Provider: row.Provider, Subject: row.Subject, Account: row.Account,
		Scopes: row.Scopes, Active: row.State == active, Reason: row.Reason, Version: row.Version, Expires: row.ExpiresAt,
	}
}

// Credential reads what owner has granted to us at the provider; nil if there is nothing.
func (s *Service) Credential(ctx context.Context, owner, provider string) (*Credential, error) {
	row, err := s.find(ctx, owner, provider)
	if row == nil || err != nil {
		return nil, err
	}
	c := known(row)
	return &c, nil
}

func (s *Service) find(ctx context.Context, owner, provider string) (*store.Credential, error) {
	row, err := s.db.GetCredential(ctx, store.GetCredentialParams{Owner: owner, Provider: provider})
	switch {
	case store.IsNoRows(err):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("read credential: %w", err)
	}
	return row, nil
}

// accessBinding and refreshBinding say where the two tokens of a credential belong.
func accessBinding(owner, provider string) secret.Binding {
	return secret.Binding{Owner: owner, Purpose: "oauth.access", Ref: provider}
}

// refreshBinding is accessBinding for the refresh token.
func refreshBinding(owner, provider string) secret.Binding {
	return secret.Binding{Owner: owner, Purpose: "oauth.refresh", Ref: provider}
}

// sealed is what a row keeps of a grant's tokens.
type sealed struct{ access, refresh []byte }

// seal seals both tokens; a missing refresh token keeps the one that is sealed already, if any.
func (s *Service) seal(owner, provider, access, refresh string, kept []byte) (sealed, error) {
	out := sealed{refresh: kept}
	var err error
	if out.access, err = s.ring.Seal(accessBinding(owner, provider), []byte(access)); err != nil {
		return sealed{}, err
	}
	if refresh != "" {
		out.refresh, err = s.ring.Seal(refreshBinding(owner, provider), []byte(refresh))
	}
	return out, err
}

func (s *Service) access(row *store.Credential) (secret.String, error) {
	return s.open(accessBinding(row.Owner, row.Provider), row.AccessSealed)
}

func (s *Service) refreshToken(row *store.Credential) (secret.String, error) {
	return s.open(refreshBinding(row.Owner, row.Provider), row.RefreshSealed)
}

// open opens a sealed token; none is the zero String.
func (s *Service) open(b secret.Binding, token []byte) (secret.String, error) {
	if token == nil {
		return secret.String{}, nil
	}
	plain, err := s.ring.Open(b, token)
	return secret.New(string(plain)), err
}
