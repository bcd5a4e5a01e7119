// Package oauth keeps what users have consented to: the flows that lead to a credential, its tokens sealed
// in PostgreSQL, and one refresh at a time per credential across all processes.
package oauth

import "fmt"

// ConsentError means that a person must consent, for the first time or again: there is no credential, a scope
// is missing, or the provider has ended the grant (invalid_grant, RFC 6749 §5.2). Trying again is of no use
// before that.
type ConsentError struct {
	Provider string
	Scopes   []string // missing, of which any one suffices, of a remote server all; empty: the grant as a whole is gone
	Version  int64    // of the credential that did not suffice, 0 if there is none
	Reason   string   // for people
}

// Error is the reason.
func (e *ConsentError) Error() string { return fmt.Sprintf("%s: %s", e.Provider, e.Reason) }
