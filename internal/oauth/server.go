package oauth

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"steward/internal/fault"
	"steward/internal/oauth/remote"
	"steward/internal/secret"
	"steward/internal/store"
)

// servers is the family of providers behind remote MCP servers, in URLs and names.
const servers = "mcp"

// Server is the provider behind the remote MCP server of that id.
func Server(id int64) string { return servers + "/" + strconv.FormatInt(id, 10) }

// IsServer says whether a provider is behind a remote MCP server.
func IsServer(provider string) bool {
	_, ok := ServerOf(provider)
	return ok
}

// ServerOf is the id in the name of a provider behind a remote MCP server.
func ServerOf(provider string) (int64, bool) {
	text, ok := strings.CutPrefix(provider, servers+"/")
	id, err := strconv.ParseInt(text, 10, 64)
	return id, ok && err == nil && id > 0 && Server(id) == provider
}

// serverAuthority is who authorizes calls of one remote server, as it was last found out. Its tokens are for one
// resource at one issuer: a credential of another one is never sent there.
type serverAuthority struct {
	service  *Service
	client   *remote.Client // by the rules for the owner that it was read for
	server   int64
	label    string
	resource string
	issuer   string
	scopes   []string // to ask for
	metadata remote.Metadata
	found    time.Time
}

// serverAuthority reads what is stored. The error is a *ConsentError while nothing is known: finding out is part of
// connecting.
func (s *Service) serverAuthority(ctx context.Context, owner string, id int64) (*serverAuthority, error) {
	row, err := s.db.GetAuthority(ctx, store.GetAuthorityParams{ServerID: id, Owner: owner})
	switch {
	case store.IsNoRows(err):
		return nil, &ConsentError{Provider: Server(id), Reason: "the MCP server is not connected"}
	case err != nil:
		return nil, fmt.Errorf("read authority: %w", err)
	}
	client, err := s.remotely(owner)
	if err != nil {
		return nil, err
	}
	a := &serverAuthority{
		service: s, client: client, server: id, label: row.ServerName, resource: row.ServerAuthority.Resource, issuer: row.ServerAuthority.Issuer,
		scopes: row.ServerAuthority.Scopes, found: row.ServerAuthority.DiscoveredAt,
	}
	if err := json.Unmarshal(row.ServerAuthority.Metadata, &a.metadata); err != nil {
		return nil, fmt.Errorf("authority of server %d: %w", id, err)
	}
	return a, nil
}

func (a *serverAuthority) name() string  { return Server(a.server) }
func (a *serverAuthority) title() string { return a.label }

func (a *serverAuthority) holds(row *store.Credential) bool {
	return row.Issuer == a.issuer && row.Resource == a.resource
}

// ask registers us if need be. What a call was missing joins what is granted and what the server names: a step-up
// loses nothing.
func (a *serverAuthority) ask(ctx context.Context, b Begin, row *store.Credential, f flow) (request, error) {
	registration, err := a.register(ctx, b.Owner)
	if err != nil {
		return request{}, err
	}
	var granted []string
	if row != nil && a.holds(row) {
		granted = row.Scopes
	}
	scopes := remote.Union(granted, slices.Concat(a.scopes, b.Scopes))
	address, err := remote.AuthorizeURL(&a.metadata, registration, remote.Ask{
		State: f.state, Verifier: f.verifier, Redirect: a.service.redirectOf(registration.Kind, a.issuer), Resource: a.resource, Scopes: scopes,
	})
	if err != nil {
		return request{}, a.failed(err)
	}
	// Whether access lasts shows by the refresh token: no server needs to repeat the scope.
	return request{url: address, scopes: without(scopes, []string{remote.Offline}), issuer: a.issuer, resource: a.resource}, nil
}

// answered also refuses an answer to a question that was put to the authority of before, and one that came where we
// do not wait for this authority.
func (a *serverAuthority) answered(ctx context.Context, f *store.OauthFlow, c Callback) error {
	if f.Issuer != a.issuer || f.Resource != a.resource || remote.CheckIssuer(&a.metadata, c.Issuer) != nil {
		return foreign(a)
	}
	registration, err := a.register(ctx, f.Owner)
	switch {
	case err != nil:
		return err
	case c.Place != placeOf(registration.Kind, a.issuer), registration.Kind == remote.Document && c.Issuer == "":
		return foreign(a)
	}
	return nil
}

func (a *serverAuthority) exchange(ctx context.Context, f *store.OauthFlow, code, verifier string) (grant, error) {
	registration, err := a.register(ctx, f.Owner)
	if err != nil {
		return grant{}, err
	}
	t, err := a.client.Exchange(ctx, &a.metadata, registration, code, remote.Ask{
		Verifier: verifier, Redirect: a.service.redirectOf(registration.Kind, a.issuer), Resource: a.resource,
	})
	if err != nil {
		err = a.forget(ctx, registration, err)
		if refused, failure := failure(a.label, err); refused {
			return grant{}, refusedCode(a, failure)
		}
		return grant{}, a.failed(err)
	}
	return grant{token: t, scopes: granted(t, f.Scopes), issuer: a.issuer, resource: a.resource, client: registration.ClientID}, nil
}

// refresh uses the registration to which the tokens were given, or nobody: another one may not.
func (a *serverAuthority) refresh(ctx context.Context, row *store.Credential, token secret.String) (*oauth2.Token, error) {
	registration, err := a.service.registered(ctx, row.Owner, a.issuer, row.ClientID)
	if err != nil {
		return nil, err
	}
	if registration == nil {
		return nil, over(a, row)
	}
	answer, err := a.client.Refresh(ctx, &a.metadata, *registration, token.Reveal(), a.resource)
	if err == nil {
		return answer, nil
	}
	err = a.forget(ctx, *registration, err)
	if refused, _ := failure(a.label, err); refused || unknownClient(err) {
		return nil, over(a, row)
	}
	return nil, a.failed(err)
}

func (a *serverAuthority) revoke(ctx context.Context, row *store.Credential, token secret.String, hint string) error {
	registration, err := a.service.registered(ctx, row.Owner, row.Issuer, row.ClientID)
	switch {
	case err != nil:
		return err
	case registration == nil || !a.holds(row):
		return fmt.Errorf("revoke: %w", remote.ErrNoRegistration)
	}
	return a.client.Revoke(ctx, &a.metadata, *registration, token, hint)
}

// failed says to a person why the authorization of a server cannot be used.
func (a *serverAuthority) failed(err error) error { return explain(a.label, err) }

// notAsked is a flow that cannot be: people sign in with providers of the operator's choice alone.
func notAsked() error {
	return fault.New(fault.Forbidden, "nobody signs in with a remote server").WithCode(CodeLoginRefused)
}
