package auth

import (
	"slices"
	"time"

	"steward/internal/fault"
)

// Kind says how somebody showed who they are.
type Kind string

// The kinds of credential. A Session is a token in the console's cookie.
const (
	JWT     Kind = "jwt"
	APIKey  Kind = "apikey"
	Session Kind = "session"
)

// AnyTenant in an API key's tenants lets it act for every owner.
const AnyTenant = "*"

// Principal is who asks.
type Principal struct {
	Owner   string // whose objects are meant
	Actor   string // who acts, for the audit log: the owner, or apikey:<id> on behalf of the owner
	Role    Role
	Scopes  []Scope // what the credential may do, already narrowed to the role
	Kind    Kind
	TokenID string    // jti of the token, id of the API key
	Tenants []string  // of an API key: the owners it may act for
	Expires time.Time // when the credential ends
}

// Can reports whether p may do what scope stands for.
func (p Principal) Can(scope Scope) bool { return slices.Contains(p.Scopes, scope) }

// Require is Can as a Forbidden fault that names the missing scope.
func (p Principal) Require(scope Scope) error {
	if p.Can(scope) {
		return nil
	}
	return fault.New(fault.Forbidden, "this needs the scope %s", scope).WithCode(CodeInsufficientScope)
}

// actFor returns p for the owner that a request names; "" names nobody. A token speaks for its subject
// alone, an API key for its tenants.
func (p Principal) actFor(owner string) (Principal, error) {
	if p.Kind != APIKey {
		if owner != "" && owner != p.Owner {
			return Principal{}, fault.New(fault.Forbidden, "the token belongs to another user").WithCode(CodeOwnerMismatch)
		}
		return p, nil
	}
	if owner == "" {
		owner = DefaultOwner
	}
	if !validOwner(owner) || !slices.Contains(p.Tenants, owner) && !slices.Contains(p.Tenants, AnyTenant) {
		return Principal{}, fault.New(fault.Forbidden, "the API key may not act for this user").WithCode(CodeTenantForbidden)
	}
	p.Owner = owner
	return p, nil
}
