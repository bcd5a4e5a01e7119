package oauth

import (
	"context"
	"encoding/hex"
	"fmt"

	"golang.org/x/oauth2"

	"steward/internal/audit"
	"steward/internal/automation"
	"steward/internal/store"
)

// grant is what a code was exchanged for.
type grant struct {
	token  *oauth2.Token
	scopes []string
	who    identity
	// Of a remote server's authority: whose tokens these are, for what, and to which registration they were given.
	issuer, resource, client string
}

// put stores a grant, and everything that is said of it, in one transaction.
func (s *Service) put(ctx context.Context, f *store.OauthFlow, owner string, g grant) (*store.Credential, error) {
	var row *store.Credential
	err := s.db.Tx(ctx, func(q *store.Queries) error {
		old, err := lock(ctx, q, owner, f.Provider)
		if err != nil {
			return err
		}
		if Purpose(f.Purpose) == Login {
			if err := audit.Put(ctx, q, loginEvent(f, owner, g.who, true)); err != nil {
				return err
			}
			if old != nil && lessThan(g, old) {
				row = old
				return nil
			}
		}
		if row, err = s.replace(ctx, q, old, owner, f.Provider, g); err != nil {
			return err
		}
		return audit.Put(ctx, q, grantedEvent(f, old, row))
	})
	if err != nil {
		return nil, fmt.Errorf("store credential: %w", err)
	}
	return row, nil
}

// lessThan says that a login brought less than there is: somebody who signs in asks for nothing, and must not
// lose what was connected before.
func lessThan(g grant, old *store.Credential) bool {
	lasting := g.token.RefreshToken != "" || old.State == active && old.RefreshSealed != nil
	return !lasting || old.State == active && len(without(old.Scopes, g.scopes)) > 0
}

func (s *Service) replace(ctx context.Context, q *store.Queries, old *store.Credential, owner, provider string, g grant) (*store.Credential, error) {
	var kept []byte
	if old != nil && old.State == active && old.Subject == g.who.Subject && g.who.Subject != "" {
		kept = old.RefreshSealed // the provider gives it once
	}
	tokens, err := s.seal(owner, provider, g.token.AccessToken, g.token.RefreshToken, kept)
	if err != nil {
		return nil, err
	}
	if id, ok := ServerOf(provider); ok {
		if err := adopt(ctx, q, id); err != nil {
			return nil, err
		}
	}
	return q.PutCredential(ctx, store.PutCredentialParams{
		Owner: owner, Provider: provider, Subject: g.who.Subject, Account: g.who.Email, Scopes: g.scopes,
		Issuer: g.issuer, ClientID: g.client, Resource: g.resource,
		AccessSealed: tokens.access, RefreshSealed: tokens.refresh, ExpiresAt: expiry(g.token),
	})
}

type grantedBody struct {
	Owner    string   `json:"owner"`
	Provider string   `json:"provider"`
	Account  string   `json:"account"`
	Scopes   []string `json:"scopes"`
	Missing  []string `json:"missing,omitempty"`
	Replaces string   `json:"replaces,omitempty"` // another account, whose credential this was
	Version  int64    `json:"version"`
}

func grantedEvent(f *store.OauthFlow, old, row *store.Credential) audit.Event {
	body := grantedBody{
		Owner: row.Owner, Provider: row.Provider, Account: row.Account, Scopes: row.Scopes, Missing: without(f.Scopes, row.Scopes),
		Version: row.Version,
	}
	if old != nil && old.Subject != row.Subject {
		body.Replaces = old.Account
	}
	return audit.Event{
		Chain: automation.AuditSystem, Key: fmt.Sprintf("credential/%d/granted", row.Version), Kind: audit.CredentialGranted,
		Actor: row.Owner, Body: body,
	}
}

type loginBody struct {
	Provider string `json:"provider"`
	Account  string `json:"account"`
	Allowed  bool   `json:"allowed"`
}

func loginEvent(f *store.OauthFlow, owner string, who identity, allowed bool) audit.Event {
	return audit.Event{
		Chain: automation.AuditSystem, Key: "login/" + hex.EncodeToString(f.StateDigest), Kind: audit.Login, Actor: owner,
		Body: loginBody{Provider: f.Provider, Account: who.Email, Allowed: allowed},
	}
}
