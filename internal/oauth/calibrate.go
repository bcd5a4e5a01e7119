package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"golang.org/x/oauth2"

	"steward/internal/egress"
	"steward/internal/fault"
	"steward/internal/oauth/remote"
	"steward/internal/store"
)

// Codes of the faults about remote servers' authorities.
const (
	CodeClientRequired = "client_required" // Conflict: the authority wants a client that a person has registered there
	CodeEgressDenied   = "egress_denied"   // Forbidden: an address that a remote server named is not for users to reach
)

// Resource is a remote server that wants a token.
type Resource struct {
	Owner     string // who calls it: addresses are judged by the rules for that user
	Server    int64
	URL       string   // as its settings had it when it was asked
	Challenge []string // its WWW-Authenticate headers
}

// Authority is who authorizes calls of a remote server.
type Authority struct {
	Provider string // under which credentials for it are kept
	Issuer   string
	Resource string   // for what tokens are asked (RFC 8707)
	Scopes   []string // to ask for
}

// Calibrate finds out who authorizes calls of a server that has refused one, and stores it: from now on callers of
// the server bring tokens of that authority. A credential of another issuer, or for another resource, cannot be
// used any more. Faults: Upstream, Forbidden (a document speaks for somebody else, or leads to a private address),
// and NotFound when the server is gone, has another URL by now, or has credentials of another kind.
func (s *Service) Calibrate(ctx context.Context, r Resource) (Authority, error) {
	client, err := s.remotely(r.Owner)
	if err != nil {
		return Authority{}, err
	}
	challenge := remote.ParseChallenge(r.Challenge)
	found, err := client.Discover(ctx, r.URL, challenge)
	if err != nil {
		return Authority{}, explain("the MCP server", err)
	}
	scopes := found.Wanted(challenge)
	if err := s.keepAuthority(ctx, r, challenge.Metadata, found, scopes); err != nil {
		return Authority{}, err
	}
	return Authority{Provider: Server(r.Server), Issuer: found.Issuer, Resource: found.Resource, Scopes: scopes}, nil
}

// remotely speaks with what remote servers have named, as far as owner may reach it.
func (s *Service) remotely(owner string) (*remote.Client, error) {
	if s.remote == nil {
		return nil, fault.New(fault.Unavailable, "this process reaches no remote servers").WithCode(CodeNotConfigured)
	}
	return remote.New(s.remote.Of(owner).Client())
}

func (s *Service) keepAuthority(ctx context.Context, r Resource, metadataURL string, found *remote.Authority, scopes []string) error {
	metadata, err := json.Marshal(found.Metadata)
	if err != nil {
		return fmt.Errorf("encode authority: %w", err)
	}
	if scopes == nil {
		scopes = []string{} // the column takes no NULL
	}
	err = s.db.Tx(ctx, func(q *store.Queries) error {
		n, err := q.PutAuthority(ctx, store.PutAuthorityParams{
			ServerID: r.Server, URL: r.URL, Resource: found.Resource, MetadataURL: metadataURL, Issuer: found.Issuer, Metadata: metadata, Scopes: scopes,
		})
		if err != nil {
			return fmt.Errorf("store authority: %w", err)
		}
		if n == 0 {
			return gone()
		}
		if found.Guessed { // whether it is one shows when it has given tokens
			return nil
		}
		return adopt(ctx, q, r.Server)
	})
	if err != nil {
		return fmt.Errorf("calibrate server %d: %w", r.Server, err)
	}
	return nil
}

// adopt makes callers of a server bring tokens of its own authority, unless they bring others.
func adopt(ctx context.Context, q *store.Queries, server int64) error {
	changed, err := q.SetServerProvider(ctx, server)
	if err != nil {
		return fmt.Errorf("set provider of a server: %w", err)
	}
	if changed == 0 {
		return nil
	}
	return q.Announce(ctx, store.Change{Kind: store.ServerChanged, Server: server})
}

// again finds out anew, before a person is asked: authorization servers move.
func (s *Service) again(ctx context.Context, owner string, id int64) (*serverAuthority, error) {
	row, err := s.db.GetResource(ctx, store.GetResourceParams{ID: id, Owner: owner})
	switch {
	case store.IsNoRows(err):
		return nil, gone()
	case err != nil:
		return nil, fmt.Errorf("read server: %w", err)
	}
	r := Resource{Owner: owner, Server: id, URL: row.URL}
	if row.MetadataURL != "" {
		r.Challenge = []string{fmt.Sprintf("Bearer resource_metadata=%q", row.MetadataURL)}
	}
	if _, err := s.Calibrate(ctx, r); err != nil {
		return nil, err
	}
	return s.serverAuthority(ctx, owner, id)
}

// metadataAge is how long the metadata of a remote server's authority are taken for true without looking.
const metadataAge = 24 * time.Hour

// renews is whom to ask for new tokens. Metadata that are old are read anew; while that fails, they serve.
func (s *Service) renews(ctx context.Context, owner, provider string) (authority, error) {
	id, ok := ServerOf(provider)
	if !ok {
		return s.named(provider)
	}
	a, err := s.serverAuthority(ctx, owner, id)
	if err != nil || time.Since(a.found) < metadataAge {
		return a, err
	}
	fresh, err := s.again(ctx, owner, id)
	if err != nil {
		s.log.WarnContext(ctx, "authority of a server not read anew", "server", id, "error", err)
		return a, nil
	}
	return fresh, nil
}

func gone() error { return fault.New(fault.NotFound, "no such MCP server") }

// explain says to a person why an authorization server cannot be used. What it answered is not repeated.
func explain(title string, err error) error {
	switch {
	case errors.Is(err, egress.ErrDenied):
		return fault.Wrap(err, fault.Forbidden, "the authorization of %s leads to an address that is not public", title).WithCode(CodeEgressDenied)
	case errors.Is(err, remote.ErrMismatch):
		return fault.Wrap(err, fault.Forbidden, "the authorization of %s is described by somebody else's metadata", title).WithCode(CodeIssuerMismatch)
	case errors.Is(err, remote.ErrNoRegistration):
		return fault.Wrap(err, fault.Conflict,
			"the authorization server of %s lets no client register itself: register one there and give it with POST /mcp/servers/{name}/oauth", title).
			WithCode(CodeClientRequired)
	case errors.Is(err, remote.ErrUnsafe), errors.Is(err, remote.ErrIncomplete):
		return fault.Wrap(err, fault.Upstream, "the authorization of %s cannot be used safely: its metadata are wrong or incomplete", title).WithCode(CodeProvider)
	}
	_, failure := failure("the authorization server of "+title, err)
	return failure
}

// unknownClient says that a token endpoint does not know our registration (RFC 6749 §5.2).
func unknownClient(err error) bool {
	answer, ok := errors.AsType[*oauth2.RetrieveError](err)
	return ok && (answer.ErrorCode == "invalid_client" || answer.ErrorCode == "unauthorized_client")
}
