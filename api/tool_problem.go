package api

import (
	"errors"

	"steward/internal/automation"
	"steward/internal/fault"
	"steward/internal/oauth"
	"steward/internal/tool"
)

// furnished is an error with what a client needs beside its text.
type furnished struct {
	error

	callID     string
	connectURL string
}

// Unwrap returns the error.
func (f *furnished) Unwrap() error { return f.error }

// codeConsent marks a call that a person must consent to first, at connect_url.
const codeConsent = "consent_required"

// explain gives an error of a call what a client can go on with: the call whose outcome is not known, the link with
// which its user consents. Connector is the integration or server that was called; empty if it is not known.
func (l links) explain(owner, connector string, err error) error {
	if u, ok := errors.AsType[*tool.UnknownError](err); ok {
		return &furnished{error: err, callID: u.CallID}
	}
	need, ok := errors.AsType[*oauth.ConsentError](err)
	if !ok {
		return err
	}
	link, failed := l.again(owner, automation.Waiting{
		Reason: need.Reason, Provider: need.Provider, Connector: connector, Scopes: need.Scopes, Version: need.Version,
	})
	if failed != nil {
		return failed
	}
	return &furnished{error: fault.Wrap(err, fault.Forbidden, "%s", need.Reason).WithCode(codeConsent), connectURL: link}
}
