package auth

import (
	"context"
	"errors"
	"strings"
	"time"

	"steward/internal/fault"
	"steward/internal/secret"
	"steward/internal/store"
)

// Authenticator turns the credentials of a request into a Principal. It is safe for concurrent use.
type Authenticator struct {
	tokens  *Tokens
	keys    *Keys
	queries *store.Queries
	logouts *cache[bool] // by jti
}

// New needs all three.
func New(tokens *Tokens, keys *Keys, queries *store.Queries) (*Authenticator, error) {
	if tokens == nil || keys == nil || queries == nil {
		return nil, errors.New("authentication needs tokens, API keys and a database")
	}
	return &Authenticator{tokens: tokens, keys: keys, queries: queries, logouts: newCache[bool](time.Now)}, nil
}

// Authenticate judges the Authorization and X-API-Key headers of a request and the owner it names in
// user_id or username, "" if it names none. A Bearer token speaks for its subject alone; an API key for
// an owner among its tenants, DefaultOwner if none is named. Faults are Unauthorized, Forbidden, or
// Unavailable while logouts and keys cannot be looked up.
func (a *Authenticator) Authenticate(ctx context.Context, authorization, apiKey, owner string) (Principal, error) {
	var p Principal
	var err error
	switch {
	case authorization == "" && apiKey == "":
		err = fault.New(fault.Unauthorized, "a Bearer token or an X-API-Key is needed").WithCode(CodeUnauthenticated)
	case authorization != "" && apiKey != "":
		// Two answers to who asks are none.
		err = refused(errors.New("both Authorization and X-API-Key"))
	case apiKey != "":
		p, err = a.keys.verify(ctx, apiKey)
	default:
		p, err = a.bearer(ctx, authorization)
	}
	if err != nil {
		return Principal{}, err
	}
	return p.actFor(owner)
}

// Session is Authenticate for the token in the console's cookie. It must not be used on /mcp.
func (a *Authenticator) Session(ctx context.Context, token secret.String, owner string) (Principal, error) {
	p, err := a.token(ctx, token.Reveal())
	if err != nil {
		return Principal{}, err
	}
	p.Kind = Session
	return p.actFor(owner)
}

// Logout ends the token of p before its time: at once in this process, within seconds in others.
func (a *Authenticator) Logout(ctx context.Context, p Principal) error {
	if p.Kind == APIKey {
		return fault.New(fault.Forbidden, "an API key cannot log out").WithCode(CodeInsufficientScope)
	}
	err := a.queries.RevokeToken(ctx, store.RevokeTokenParams{Jti: p.TokenID, Owner: p.Owner, ExpiresAt: p.Expires})
	if err != nil {
		return unavailable(err)
	}
	a.logouts.put(p.TokenID, true)
	return nil
}

// ForgetExpired drops records of logouts whose tokens have expired anyway; it returns how many.
func (a *Authenticator) ForgetExpired(ctx context.Context) (int64, error) {
	n, err := a.queries.DeleteExpiredRevocations(ctx)
	if err != nil {
		return 0, unavailable(err)
	}
	return n, nil
}

func (a *Authenticator) bearer(ctx context.Context, authorization string) (Principal, error) {
	scheme, token, _ := strings.Cut(authorization, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return Principal{}, refused(errors.New("not a Bearer token"))
	}
	return a.token(ctx, token)
}

func (a *Authenticator) token(ctx context.Context, text string) (Principal, error) {
	p, err := a.tokens.Verify(text)
	if err != nil {
		return Principal{}, err
	}
	gone, known := a.logouts.get(p.TokenID)
	if !known {
		if gone, err = a.queries.IsTokenRevoked(ctx, p.TokenID); err != nil {
			return Principal{}, unavailable(err)
		}
		a.logouts.add(p.TokenID, gone)
	}
	if gone {
		return Principal{}, refused(errors.New("logged out"))
	}
	return p, nil
}
