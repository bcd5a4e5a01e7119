package mcp

import (
	"context"
	"errors"
	"net/http"

	sdkauth "github.com/modelcontextprotocol/go-sdk/auth"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"steward/internal/auth"
)

// A request's principal travels through the SDK as its token information, which is the SDK's own way and the only
// one that keeps pace with every single request of a session: contexts are those of the session's first.

type callerKey struct{}

const principalMember = "principal"

// caller is who asks.
func caller(ctx context.Context) (auth.Principal, error) {
	p, ok := ctx.Value(callerKey{}).(auth.Principal)
	if !ok {
		return p, errors.New("mcp: no principal behind a request")
	}
	return p, nil
}

// tokenOf is p in the SDK's words.
func tokenOf(p auth.Principal) *sdkauth.TokenInfo {
	return &sdkauth.TokenInfo{UserID: identity(p), Expiration: p.Expires, Extra: map[string]any{principalMember: p}}
}

// identity is whom a session belongs to: an API key's sessions for one user are not that user's own.
func identity(p auth.Principal) string { return p.Owner + "\x1f" + p.Actor }

// hand passes r on to next as p, and without the credential that showed it.
func hand(next http.Handler, w http.ResponseWriter, r *http.Request, p auth.Principal) {
	r = r.Clone(r.Context())
	r.Header.Del("X-API-Key")
	r.Header.Set("Authorization", "Bearer admitted") // what is looked for next; the edge has verified the real one
	verified := func(context.Context, string, *http.Request) (*sdkauth.TokenInfo, error) { return tokenOf(p), nil }
	sdkauth.RequireBearerToken(verified, &sdkauth.RequireBearerTokenOptions{AllowMissingExpiration: true})(next).ServeHTTP(w, r)
}

// identify puts the principal of each message into its context.
func identify(next sdk.MethodHandler) sdk.MethodHandler {
	return func(ctx context.Context, method string, r sdk.Request) (sdk.Result, error) {
		if extra := r.GetExtra(); extra != nil && extra.TokenInfo != nil {
			ctx = context.WithValue(ctx, callerKey{}, extra.TokenInfo.Extra[principalMember])
		}
		return next(ctx, method, r)
	}
}
