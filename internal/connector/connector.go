// Package connector says what a connector is: a kind of outside system that a user connects once, with tools
// that are made exact by the receiver's own means. Each kind is a folder below this one and a line in the
// list that internal/app passes on.
package connector

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"time"

	"steward/internal/automation"
)

// Connector is one kind of outside system. It holds no state and no credentials.
type Connector struct {
	Name        string // in URLs, requests and the ledger, such as "gmail"
	Title       string // for people
	Description string
	Provider    string // whose consent it needs, the name of an oauth.Provider such as "google"; empty: it has a Form
	Form        *Form
	Tools       []Tool
}

// Tool is one callable of a connector. What a server only hints at is known here: we wrote it.
type Tool struct {
	// Name is such as GMAIL_SEND_EMAIL. Of a connector with a form, whose connections have tools of their own, it is
	// the beginning: DB_QUERY of the connection db_abc is DB_QUERY_db_abc. There {name} in Title and Description
	// becomes the connection's name and kind, such as 'My Analytics DB' (PostgreSQL).
	Name         string
	Title        string
	Description  string          // for the model
	InputSchema  json.RawMessage // JSON Schema 2020-12 of an object
	OutputSchema json.RawMessage // of Result.Structured
	Class        automation.Class
	Untrusted    bool     // results may hold what strangers wrote
	Private      bool     // results hold the account's private data
	Addressees   []string // names of arguments that say who receives something: "to", "cc"
	Scopes       []string // the provider's scopes of which any one suffices; empty: none is needed

	// StepUp says that the scopes are asked for when the tool is first used, and not when the account is connected: it
	// needs more than the others, and is needed by few.
	StepUp bool
	// Needs is a checkbox of the connector's form that must be ticked for the tool to be there; empty: it always is.
	Needs string
	// Answer is the member of the structured result that is the answer itself, the others being about it: what
	// POST /api/tools/execute gives as result. Empty: all of it.
	Answer string

	// NoProbe says, of an effect without a Probe, why there is no way to ask.
	NoProbe string

	// Call carries the tool out. Its error is an *Error.
	Call func(ctx context.Context, s *Session, c Call) (Result, error)
	// Probe asks the receiver afterwards whether the call took effect, and sees to it that a call which is said
	// to have failed cannot take effect any more; nil: there is no way to ask.
	Probe func(ctx context.Context, s *Session, c Call) (Found, error)
}

// Session is one user's access to the outside system. Its client adds the account's token to requests to the
// provider's own hosts, and to no others; on 401 it refreshes the token once and tries once more.
type Session struct {
	Link    Link // of a form, as it made it; nothing below is set then
	HTTP    *http.Client
	BaseURL string   // of the provider's APIs; empty: the public ones
	Account string   // the account's mail address
	Granted []string // scopes
	Version int64    // of the credential, for an oauth.ConsentError
}

// Call is one use of a tool.
type Call struct {
	ID        string // of the ledger: the same for every attempt
	Arguments json.RawMessage
	Receipt   string // what an earlier attempt noted
	// Note stores a receipt under the claim's fence before a request that cannot be taken back. After an error
	// the request must not be sent: another attempt has the call.
	Note func(ctx context.Context, receipt string) error
}

// Result is a tool's answer.
type Result struct {
	Structured json.RawMessage // a JSON object
}

// Found is what a probe learned. Unknown means that the receiver could not say.
type Found struct {
	Outcome automation.Outcome
	Result  Result // of a call that is done
}

// Error is a call without a result.
type Error struct {
	Ran        bool          // the effect may have happened
	Answered   bool          // the receiver has answered no: Reason may help the model
	Reason     string        // for people and the model: no hosts, no secrets
	RetryAfter time.Duration // the wait the receiver asked for, 0 if none
	Err        error         // for the log; nil where Reason says it all
}

// Error is Reason, with its cause.
func (e *Error) Error() string {
	if e.Err == nil {
		return e.Reason
	}
	return e.Reason + ": " + e.Err.Error()
}

func asError(err error) (*Error, bool) { return errors.AsType[*Error](err) }

// Unwrap returns the cause, which may be an *oauth.ConsentError.
func (e *Error) Unwrap() error { return e.Err }

// Grants says whether one of the scopes is granted.
func (s *Session) Grants(scopes ...string) bool {
	return slices.ContainsFunc(scopes, func(scope string) bool { return slices.Contains(s.Granted, scope) })
}

// Find returns the tool of that name.
func (c *Connector) Find(name string) (Tool, bool) {
	for _, t := range c.Tools {
		if t.Name == name {
			return t, true
		}
	}
	return Tool{}, false
}
