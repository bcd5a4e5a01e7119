package registry

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"steward/internal/egress"
	"steward/internal/fault"
	"steward/internal/oauth"
	"steward/internal/secret"
	"steward/internal/store"
)

// Tokens are users' OAuth credentials; they are oauth.Service's, and a fake's in tests of servers alone.
type Tokens interface {
	Credential(ctx context.Context, owner, provider string) (*oauth.Credential, error)
	Token(ctx context.Context, owner, provider string) (token secret.String, version int64, err error)
	Refresh(ctx context.Context, owner, provider string, stale int64) (token secret.String, version int64, err error)
	Calibrate(ctx context.Context, r oauth.Resource) (oauth.Authority, error)
}

// Access is what calling a server for its user takes. It lives in memory, for one request.
type Access struct {
	URL        string
	Headers    map[string]secret.String // static ones, as an admin or the owner saved them for this URL
	Bearer     secret.String            // the owner's own token; zero where the server wants none
	Credential int64                    // its version
}

func (a Access) header() map[string]secret.String {
	if a.Bearer.IsZero() {
		return a.Headers
	}
	h := map[string]secret.String{}
	maps.Copy(h, a.Headers)
	maps.DeleteFunc(h, func(name string, _ secret.String) bool { return isAuthorization(name) }) // in any spelling
	h["Authorization"] = secret.New("Bearer " + a.Bearer.Reveal())
	return h
}

// access opens what is sealed for the server and adds the owner's token where the server wants it. The errors are
// oauth.Service's: a *oauth.ConsentError when a person must consent first.
func (r *Registry) access(ctx context.Context, owner string, s *store.MCPServer) (Access, error) {
	a := Access{URL: s.URL}
	var err error
	if a.Headers, err = r.open(s.HeadersSealed, headersBinding(s.Owner, s.Name)); err != nil || s.AuthProvider == "" {
		return a, err
	}
	// An admin vouches for where users' tokens go. A server that a user, or somebody in a user's name, has
	// registered gets those of its own authority alone: its URL could be anybody's.
	if s.Owner != nil && s.AuthProvider != oauth.Server(s.ID) {
		return a, fault.New(fault.Forbidden, "%s is not registered by an admin: credentials of other services do not go there", s.Name).WithCode("host_refused")
	}
	a.Bearer, a.Credential, err = r.tokens.Token(ctx, owner, s.AuthProvider)
	return a, err
}

// Ready finds out whether owner could call the server now, without calling it: whether a credential that it
// wants is there. The error is an *oauth.ConsentError if it is not.
func (r *Registry) Ready(ctx context.Context, owner string, s *store.MCPServer) error {
	if s.AuthProvider == "" {
		return nil
	}
	_, err := r.access(ctx, owner, s)
	return err
}

// Lend is the access that somebody else needs to call the server for owner during the time that it takes. A token
// that would end within it is renewed first.
func (r *Registry) Lend(ctx context.Context, owner string, s *store.MCPServer, during time.Duration) (Access, error) {
	a, err := r.access(ctx, owner, s)
	if err != nil || a.Credential == 0 {
		return a, err
	}
	known, err := r.tokens.Credential(ctx, owner, s.AuthProvider)
	if err != nil || known == nil || time.Until(known.Expires) >= during {
		return a, err
	}
	return r.Renew(ctx, owner, s, a)
}

// Renew replaces a token that the server did not take, or that is about to end.
func (r *Registry) Renew(ctx context.Context, owner string, s *store.MCPServer, a Access) (Access, error) {
	var err error
	a.Bearer, a.Credential, err = r.tokens.Refresh(ctx, owner, s.AuthProvider, a.Credential)
	return a, err
}

// CheckPublic says why somebody in another network cannot, or must not, call the server for us. Its name is not
// resolved: whoever dials sees another network than we do.
func CheckPublic(s *store.MCPServer) error {
	if s.Transport != "http" {
		return errors.New("it is not reached by streamable HTTP")
	}
	err := egress.CheckPublicURL(s.URL)
	switch {
	case errors.Is(err, egress.ErrDenied):
		return errors.New("its URL is not public")
	case err != nil:
		return fmt.Errorf("its URL %w", err)
	}
	return nil
}
