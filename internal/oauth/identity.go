package oauth

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/oauth2"

	"steward/internal/audit"
	"steward/internal/fault"
	"steward/internal/store"
)

// identity is what a verified ID token says.
type identity struct {
	Subject  string `json:"sub"`
	Email    string `json:"email"`
	Verified bool   `json:"email_verified"`
	Domain   string `json:"hd"`  // Google: the organisation that the account belongs to
	Party    string `json:"azp"` // for whom it was made, when that is said
}

// maxSubject is the longest id of an account, so that an owner made of it stays within 255 bytes.
const maxSubject = 200

// identify verifies the ID token that came with t: signature, issuer, audience, age (OpenID Connect Core
// §3.1.3.7), and that it answers our question (nonce) and belongs to the access token beside it (at_hash).
func (a *openID) identify(ctx context.Context, found *endpoints, t *oauth2.Token, nonce string) (identity, error) {
	invalid := func(cause error) error {
		return fault.Wrap(cause, fault.Forbidden, "%s did not prove who you are: begin again", a.Title).WithCode(CodeIdentityInvalid)
	}
	text, _ := t.Extra("id_token").(string)
	verified, err := found.verifier.Verify(ctx, text)
	if err != nil {
		return identity{}, invalid(fmt.Errorf("verify ID token: %w", err))
	}
	if verified.AccessTokenHash != "" {
		if err := verified.VerifyAccessToken(t.AccessToken); err != nil {
			return identity{}, invalid(fmt.Errorf("verify ID token: %w", err))
		}
	}
	var who identity
	switch err := verified.Claims(&who); {
	case err != nil:
		return identity{}, invalid(fmt.Errorf("read ID token: %w", err))
	case verified.Nonce != nonce:
		return identity{}, invalid(errors.New("verify ID token: nonce of another flow"))
	case who.Party != "" && who.Party != a.ClientID:
		return identity{}, invalid(errors.New("verify ID token: made for another client"))
	case !who.Verified || !strings.Contains(who.Email, "@"):
		return identity{}, invalid(errors.New("verify ID token: no verified mail address"))
	case who.Subject == "" || len(who.Subject) > maxSubject || strings.ContainsFunc(who.Subject+who.Email, unprintable):
		return identity{}, invalid(errors.New("verify ID token: no usable subject"))
	}
	return who, nil
}

func unprintable(r rune) bool { return !unicode.IsPrint(r) }

// admit lets those in who may sign in, and records the others.
func (s *Service) admit(ctx context.Context, f *store.OauthFlow, owner string, who identity) error {
	if s.mayLogIn(who) {
		return nil
	}
	if err := audit.Put(ctx, s.db.Queries, loginEvent(f, owner, who, false)); err != nil {
		return err
	}
	return fault.New(fault.Forbidden, "this account may not sign in here: ask the operator of this service").WithCode(CodeLoginRefused)
}

func (s *Service) mayLogIn(who identity) bool {
	return len(s.logins) == 0 || slices.ContainsFunc(s.logins, who.matches)
}

// matches compares with an address, an @domain, or * for everybody. An address proves its domain only if the
// domain's own organisation manages the account (hd): anybody who once had a mailbox there can have made a
// consumer account with its address. gmail.com is the provider's own.
func (who identity) matches(entry string) bool {
	entry = strings.ToLower(strings.TrimSpace(entry))
	email := strings.ToLower(who.Email)
	domain, ofDomain := strings.CutPrefix(entry, "@")
	switch {
	case entry == "*":
		return true
	case ofDomain:
		return strings.HasSuffix(email, entry) && (domain == "gmail.com" || strings.ToLower(who.Domain) == domain)
	}
	return entry == email
}
