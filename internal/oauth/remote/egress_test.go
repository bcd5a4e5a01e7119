package remote_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/egress"
	"steward/internal/egress/egresstest"
	"steward/internal/oauth/remote"
	"steward/internal/secret"
)

// T-06: each address that a remote server, or its authorization server, may name.
func TestT06SpecialAddressesAreNotAsked(t *testing.T) {
	t.Parallel()
	const open = "127.0.0.2" // may be reached below; nothing else of this machine
	exit := egress.NewExit(netip.MustParsePrefix(open + "/32"))
	t.Cleanup(exit.Client().CloseIdleConnections)
	c, err := remote.New(exit.Client())
	require.NoError(t, err)
	h := &host{pages: map[string]func(http.ResponseWriter, *http.Request){}}
	h.Server = httptest.NewUnstartedServer(h)
	listen(t, h.Server, open+":0")
	known := remote.Registration{ClientID: "me", Secret: secret.New("hush"), Method: remote.MethodPost}
	discover := func(ctx context.Context, ch remote.Challenge) error {
		_, err := c.Discover(ctx, h.URL+"/mcp", ch)
		return err
	}
	ways := []struct {
		name string
		ask  func(ctx context.Context, address string) error
	}{
		{"server", func(ctx context.Context, address string) error {
			_, err := c.Discover(ctx, address+"/mcp", remote.Challenge{})
			return err
		}},
		{"challenge", func(ctx context.Context, address string) error {
			return discover(ctx, remote.Challenge{Metadata: address + "/x"})
		}},
		{"redirect", func(ctx context.Context, address string) error {
			h.page("/moved", http.RedirectHandler(address+"/x", http.StatusTemporaryRedirect).ServeHTTP)
			return discover(ctx, remote.Challenge{Metadata: h.URL + "/moved"})
		}},
		{"authorization server", func(ctx context.Context, address string) error {
			h.serve("/resource", map[string]any{"resource": "@/mcp", "authorization_servers": []string{address}})
			return discover(ctx, remote.Challenge{Metadata: h.URL + "/resource"})
		}},
		{"registration", func(ctx context.Context, address string) error {
			_, err := c.Register(ctx, &remote.Metadata{RegistrationEndpoint: address + "/register"}, remote.App{Redirect: h.URL}, nil)
			return err
		}},
		{"token", func(ctx context.Context, address string) error {
			_, err := c.Exchange(ctx, &remote.Metadata{TokenEndpoint: address + "/token"}, known, "code", remote.Ask{})
			return err
		}},
		{"refresh", func(ctx context.Context, address string) error {
			_, err := c.Refresh(ctx, &remote.Metadata{TokenEndpoint: address + "/token"}, known, "old", "")
			return err
		}},
		{"revocation", func(ctx context.Context, address string) error {
			return c.Revoke(ctx, &remote.Metadata{RevocationEndpoint: address + "/revoke"}, known, secret.New("old"), "refresh_token")
		}},
	}
	for _, way := range ways {
		for _, special := range egresstest.Special() {
			require.ErrorIs(t, way.ask(t.Context(), "https://"+special), egress.ErrDenied, "%s %s", way.name, special)
		}
	}
}
