package tool

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"steward/internal/registry"
	"steward/internal/secret"
	"steward/internal/store"
)

// A stdio server cannot be sent an Authorization header. Where an admin has declared MCP_AUTH_TYPE OAUTH2_GOOGLE, its
// tools take the caller's credential as a hidden parameter instead.
//
// The service that this continues gave such a server two sets of credentials with every call: the user's tokens, refresh
// token included, and the application's own client id and secret. We give the access token alone. With a refresh token
// a server keeps the account for good, whatever the user withdraws here; with the client secret it can pose as this
// application to every user of it. An access token ends within the hour, carries no more than the scopes granted, and
// is renewed here, so that a server never needs more.

// tokenLife is what a token given to a server must still last beyond the call itself.
const tokenLife = time.Minute

// conventional says whether a parameter of this name takes an access token, and whether it is usually an object.
func conventional(name string) (takes, object bool) {
	switch name {
	case "access_token", "accessToken", "oauth_token", "google_access_token", "token":
		return true, false
	case "credentials", "oauth_tokens":
		return true, true
	}
	return false, false
}

// takesToken says that a server's tools get the caller's access token as a parameter.
func takesToken(s *store.MCPServer) bool { return s.Transport == "stdio" && s.AuthProvider != "" }

// token is the owner's access token with what a client library wants to know of it.
type token struct {
	access secret.String
	object json.RawMessage
}

// tokenFor is the owner's token, good for as long as a call takes. The error is an *oauth.ConsentError when a person
// must consent first.
func (i *injector) tokenFor(ctx context.Context, owner string, s *store.MCPServer) (token, error) {
	a, err := i.reg.Lend(ctx, owner, s, i.during+tokenLife)
	if err != nil {
		return token{}, err
	}
	t := token{access: a.Bearer}
	t.object, err = i.tokenObject(ctx, owner, s, a)
	return t, err
}

// tokenObject is the token in the shape in which RFC 6749 §5.1 has it, with an end instead of a duration.
func (i *injector) tokenObject(ctx context.Context, owner string, s *store.MCPServer, a registry.Access) (json.RawMessage, error) {
	known, err := i.tokens.Credential(ctx, owner, s.AuthProvider)
	if err != nil {
		return nil, err
	}
	object := map[string]string{"access_token": a.Bearer.Reveal(), "token_type": "Bearer"} // as RFC 6749 §5.1 names them
	if known != nil {
		object["expiry"] = known.Expires.UTC().Format(time.RFC3339)
		if len(known.Scopes) > 0 {
			object["scope"] = strings.Join(known.Scopes, " ")
		}
	}
	doc, err := json.Marshal(object)
	if err != nil {
		return nil, fmt.Errorf("encode token: %w", err)
	}
	return doc, nil
}
