package oauth

import (
	"context"
	"net/http"

	"golang.org/x/oauth2"

	"steward/internal/fault"
	"steward/internal/secret"
	"steward/internal/store"
)

// authority gives tokens: a provider that the operator has named (named), or the one behind a remote MCP server
// (serverAuthority). Errors of its calls are faults, or a *ConsentError where only a person can help.
type authority interface {
	name() string  // of the provider, in tables
	title() string // for people
	// holds says whether the tokens of a credential are this authority's.
	holds(row *store.Credential) bool
	// ask makes the request that the browser brings to it. row is what the owner has granted before, if anything.
	ask(ctx context.Context, b Begin, row *store.Credential, f flow) (request, error)
	// answered checks that an answer comes from whom was asked.
	answered(ctx context.Context, f *store.OauthFlow, c Callback) error
	exchange(ctx context.Context, f *store.OauthFlow, code, verifier string) (grant, error)
	refresh(ctx context.Context, row *store.Credential, token secret.String) (*oauth2.Token, error)
	revoke(ctx context.Context, row *store.Credential, token secret.String, hint string) error
}

// request is what one authorization request says.
type request struct {
	url              string
	scopes           []string // asked for, beside those that say who it is
	issuer, resource string   // of a remote server's authority
}

// authority finds that of a provider for what owner has there. For a remote server of which none is known, or
// that owner may not call, the error is a *ConsentError.
func (s *Service) authority(ctx context.Context, owner, provider string) (authority, error) {
	if id, ok := ServerOf(provider); ok {
		return s.serverAuthority(ctx, owner, id)
	}
	return s.named(provider)
}

func (s *Service) named(provider string) (named, error) {
	if a, ok := s.providers[provider]; ok {
		return a, nil
	}
	return nil, fault.New(fault.Unavailable, "this service is not registered with that provider: its operator has to set the client id").
		WithCode(CodeNotConfigured)
}

// usable says what a person must do before a credential can be used, if anything.
func usable(a authority, row *store.Credential) error {
	switch {
	case row == nil:
		return &ConsentError{Provider: a.name(), Reason: a.title() + " is not connected"}
	case row.State != active:
		return &ConsentError{Provider: a.name(), Version: row.Version, Reason: row.Reason}
	case !a.holds(row):
		return &ConsentError{Provider: a.name(), Version: row.Version, Reason: a.title() + " has moved to another authorization server: consent again"}
	}
	return nil
}

// over means that the provider renews a credential no more.
func over(a authority, row *store.Credential) *ConsentError {
	return &ConsentError{Provider: a.name(), Version: row.Version, Reason: a.title() + " has ended the access: consent again"}
}

// noRedirect is for clients that bring secrets.
func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
