// Package auth says who asks: it verifies tokens and API keys and turns them into a Principal with the
// scopes that decide what may be done. It issues our own tokens too. Who owns an object is not its
// business: every query carries the owner.
package auth

import (
	"unicode"
	"unicode/utf8"

	"steward/internal/fault"
)

// Codes of the faults of this package. Every refusal of a credential is the same Unauthorized to the
// outside; which check failed is in the log alone.
const (
	CodeUnauthenticated   = "unauthenticated"    // no credential at all
	CodeInvalidToken      = "invalid_token"      // also an expired or revoked one, and any API key that is not good
	CodeOwnerMismatch     = "owner_mismatch"     // a token of one user, the name of another
	CodeTenantForbidden   = "tenant_forbidden"   // an API key that may not act for that user
	CodeInsufficientScope = "insufficient_scope" // the principal may not do this
)

// DefaultOwner is whom an API key acts for when the request names nobody.
const DefaultOwner = "default"

// maxOwner is the longest owner in bytes, the limit of an OpenID Connect sub.
const maxOwner = 255

// validOwner refuses what could not be told apart in a log or would mean everybody.
func validOwner(owner string) bool {
	if owner == "" || owner == AnyTenant || len(owner) > maxOwner || !utf8.ValidString(owner) {
		return false
	}
	for _, r := range owner {
		if !unicode.IsPrint(r) {
			return false
		}
	}
	return true
}

// refused is the one answer to every bad credential.
func refused(cause error) error {
	return fault.Wrap(cause, fault.Unauthorized, "the credential is not valid").WithCode(CodeInvalidToken)
}
