package remote

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/oauthex"
)

// Metadata are an authorization server's (RFC 8414).
type Metadata = oauthex.AuthServerMeta

// Authority is what stands behind a protected server: who gives tokens for it, and what they are for.
type Authority struct {
	Resource string   // RFC 8707: for what tokens are asked
	Issuer   string   // as the server itself writes it: RFC 9207 compares it character by character
	Scopes   []string // which the resource says it knows
	Metadata Metadata
	Guessed  bool // nothing was said anywhere: the endpoints are where revision 2025-03-26 puts them
}

// Discover finds out who authorizes calls of the MCP server at that URL: its own metadata (RFC 9728), at the
// address that its challenge names or else at the well-known ones, then those of the authorization server
// (RFC 8414, OpenID Connect Discovery 1.0). A server without either is its own authorization server, as revision
// 2025-03-26 had it. Errors hold one of this package's, or are the network's.
func (c *Client) Discover(ctx context.Context, server string, ch Challenge) (*Authority, error) {
	u, err := url.Parse(server)
	if err != nil || checkURL("server", server) != nil {
		return nil, fmt.Errorf("server: %w", ErrUnsafe)
	}
	u.Fragment = ""
	resource, err := c.resource(ctx, u, ch)
	if errors.Is(err, errAbsent) {
		return c.ownAuthority(ctx, u)
	}
	if err != nil {
		return nil, err
	}
	issuer := resource.AuthorizationServers[0]
	m, err := c.metadata(ctx, issuer)
	if err != nil {
		return nil, err
	}
	return &Authority{Resource: resource.Resource, Issuer: m.Issuer, Scopes: resource.ScopesSupported, Metadata: *m}, nil
}

// resource reads the server's metadata. They are looked for no further once there are any.
func (c *Client) resource(ctx context.Context, server *url.URL, ch Challenge) (*oauthex.ProtectedResourceMetadata, error) {
	const suffix = "oauth-protected-resource"
	root := originOf(server) + "/.well-known/" + suffix
	addresses := []string{wellKnown(server, suffix), root}
	if ch.Metadata != "" {
		addresses = append([]string{ch.Metadata}, addresses...)
	}
	for _, address := range slices.Compact(addresses) {
		var m oauthex.ProtectedResourceMetadata
		err := c.document(ctx, "resource metadata", address, &m)
		if errors.Is(err, errAbsent) {
			continue
		}
		if err != nil {
			return nil, err
		}
		// Whoever may write at a path of a host speaks for that path. The root's document may speak for the host.
		claimed := []string{server.String()}
		if address == root {
			claimed = append(claimed, originOf(server))
		}
		if !oauthex.MatchesResource(claimed, m.Resource) {
			return nil, fmt.Errorf("resource metadata: %w", ErrMismatch)
		}
		if len(m.AuthorizationServers) == 0 {
			return nil, fmt.Errorf("resource metadata name no authorization server: %w", ErrIncomplete)
		}
		return &m, nil
	}
	return nil, errAbsent
}

// metadata reads those of an issuer, which must be who it says it is.
func (c *Client) metadata(ctx context.Context, issuer string) (*Metadata, error) {
	u, err := url.Parse(issuer)
	if err != nil || checkURL("issuer", issuer) != nil {
		return nil, fmt.Errorf("issuer: %w", ErrUnsafe)
	}
	addresses := []string{wellKnown(u, "oauth-authorization-server"), wellKnown(u, "openid-configuration")}
	if strings.Trim(u.Path, "/") != "" {
		addresses = append(addresses, strings.TrimRight(u.String(), "/")+"/.well-known/openid-configuration")
	}
	for _, address := range addresses {
		var m Metadata
		err := c.document(ctx, "authorization server metadata", address, &m)
		switch {
		case errors.Is(err, errAbsent):
			continue
		case err != nil:
			return nil, err
		// The slash at the end is often on one side alone; it cannot lead to another host.
		case strings.TrimSuffix(m.Issuer, "/") != strings.TrimSuffix(issuer, "/"):
			return nil, fmt.Errorf("authorization server metadata: %w", ErrMismatch)
		}
		return &m, check(&m)
	}
	return nil, fmt.Errorf("%w: %w", ErrIncomplete, errAbsent)
}

// check refuses metadata with which a flow would be unsafe or impossible.
func check(m *Metadata) error {
	for _, e := range []struct {
		name, url string
		needed    bool
	}{
		{"authorization endpoint", m.AuthorizationEndpoint, false}, // a server of machines has none
		{"token endpoint", m.TokenEndpoint, true},
		{"registration endpoint", m.RegistrationEndpoint, false},
		{"revocation endpoint", m.RevocationEndpoint, false},
	} {
		if e.url == "" && e.needed {
			return fmt.Errorf("%s: %w", e.name, ErrIncomplete)
		}
		if e.url == "" {
			continue
		}
		if err := checkURL(e.name, e.url); err != nil {
			return err
		}
	}
	if m.AuthorizationEndpoint != "" && !slices.Contains(m.CodeChallengeMethodsSupported, "S256") {
		return fmt.Errorf("PKCE with S256: %w", ErrIncomplete)
	}
	return nil
}

// ownAuthority is a server that authorizes its calls itself (revision 2025-03-26): at the endpoints that its
// metadata name, or else at the default ones.
func (c *Client) ownAuthority(ctx context.Context, server *url.URL) (*Authority, error) {
	origin := originOf(server)
	m, err := c.metadata(ctx, origin)
	guessed := errors.Is(err, errAbsent)
	if guessed {
		m, err = &Metadata{
			Issuer: origin, AuthorizationEndpoint: origin + "/authorize", TokenEndpoint: origin + "/token",
			RegistrationEndpoint: origin + "/register",
		}, nil
	}
	if err != nil {
		return nil, err
	}
	return &Authority{Resource: server.String(), Issuer: m.Issuer, Metadata: *m, Guessed: guessed}, nil
}
