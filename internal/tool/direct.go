package tool

import (
	"context"
	"encoding/json"

	"steward/internal/automation"
	"steward/internal/fault"
	"steward/internal/mcpclient"
)

// Ways in which a call outside a run comes.
const (
	ViaREST = "rest"
	ViaMCP  = "mcp"
)

// Direct is one call outside a run.
type Direct struct {
	Owner string // for whom
	Actor string // who asks
	Via   string // ViaREST or ViaMCP

	// What is called: a server's tool by the server's own name for it, or a function of the owner's catalogue.
	Server   int64
	Tool     string
	Function string

	Arguments json.RawMessage // a JSON object; empty means {}
	// Where names the arguments in complaints about them, such as "body.args"; empty means "arguments".
	Where string
	// Key is the caller's idempotency key: for 24 hours the same key answers what was recorded. Empty: none.
	Key string
	// Ask answers what the server asks in the middle of the call; nil: nobody can be asked. It gets the question as it may
	// be shown, in its server's name, and has as long as its context.
	Ask      func(context.Context, mcpclient.Question) (mcpclient.Answer, error)
	Progress func(mcpclient.Progress) // nil: not wanted
}

// Done is a call that was answered.
type Done struct {
	CallID   string
	Text     string            // for a reader
	Answer   string            // the member of Text, which is JSON then, that is the answer itself; empty: all of it
	Result   *mcpclient.Result // nil for tools of connections
	IsError  bool              // the tool's own word that it failed
	Replayed bool              // the answer of an earlier call with the same key
}

// Codes of the faults that Direct returns beside those of their kinds.
const (
	CodeOutcomeUnknown = "outcome_unknown"  // it may have taken effect; the fault is an *UnknownError
	CodeQuarantined    = "tool_quarantined" // its definition is not the approved one
	CodeAuditFull      = "audit_unavailable"
	CodeInProgress     = "idempotency_in_progress"
	CodeMismatch       = "idempotency_mismatch"
)

// UnknownError is a call of which nobody can say whether it took effect. It wraps a fault with CodeOutcomeUnknown.
type UnknownError struct {
	CallID string
	Fault  *fault.Error
}

// Error is the fault's.
func (e *UnknownError) Error() string { return e.Fault.Error() }

// Unwrap returns the fault.
func (e *UnknownError) Unwrap() error { return e.Fault }

func unknown(id, why string) error {
	return &UnknownError{CallID: id, Fault: fault.New(fault.Upstream,
		"whether the call took effect is not known: %s. Look before it is made again; its id is %s", why, id).WithCode(CodeOutcomeUnknown)}
}

// Direct makes one call outside a run: arguments checked, what may change something claimed before it is sent and
// settled afterwards, each with its audit event. It is sent again only where that is harmless: never after it may
// have taken effect, unless the tool's class allows it.
//
// Its errors are faults: NotFound for what the owner cannot call, Invalid with locations for arguments, Conflict or
// Invalid for a key that is in use or was used for another call, Upstream for a call that was not carried out, an
// *UnknownError, Unavailable when it could not be recorded; and *oauth.ConsentError when a person must consent first.
func (x *Executor) Direct(ctx context.Context, d Direct) (*Done, error) {
	a, err := x.aim(ctx, d)
	if err != nil {
		return nil, err
	}
	c := &directCall{Direct: d, aimed: a, id: newID("call_")}
	if c.arguments, c.shown, err = x.admit(a.tool, d); err != nil {
		return nil, err
	}
	carryOut := x.act
	if a.tool.Class == automation.Read && d.Key == "" {
		carryOut = x.read
	}
	done, err := carryOut(ctx, c)
	if err != nil {
		return nil, err
	}
	done.Answer = a.tool.Answer
	return done, nil
}
