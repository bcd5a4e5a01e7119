package api

import (
	"context"
	"fmt"
	"net/url"

	"steward/internal/oauth"
)

// begin begins a flow: where the browser goes, and the cookie that binds the flow to it. PKCE, state and nonce are the
// service's; the cookie that it names is ours to set.
func (c flowCookies) begin(ctx context.Context, consent *oauth.Service, b oauth.Begin) (location, cookie string, err error) {
	begun, err := consent.Begin(ctx, b)
	if err != nil {
		return "", "", err
	}
	address, err := url.Parse(begun.URL)
	if err != nil {
		return "", "", fmt.Errorf("parse address of the provider: %w", err)
	}
	return begun.URL, c.set(address.Query().Get("state"), begun.Browser, begun.Expires), nil
}
