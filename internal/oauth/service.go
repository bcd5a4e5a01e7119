package oauth

import (
	"context"
	"net/http"
	"time"
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
	Reason   string // why not
	Version  int64
	Expires  time.Time // of the access token
}

// Service is filled in by its owner.
type Service struct{}

// Credential reads what owner has granted to us at the provider; nil if there is nothing.
func (s *Service) Credential(ctx context.Context, owner, provider string) (*Credential, error) {
	return nil, nil
}

// Client returns an HTTP client that adds owner's token to requests to the provider's API hosts.
func (s *Service) Client(owner, provider string) *http.Client { return nil }

// APIURL is the base of the provider's APIs where it is not the public one; empty otherwise.
func (s *Service) APIURL(provider string) string { return "" }
