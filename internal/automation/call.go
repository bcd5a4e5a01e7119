package automation

// Class says how often a call may be sent.
type Class string

// The policy classes of DESIGN §3.
const (
	Read       Class = "read"       // repeat freely
	Idempotent Class = "idempotent" // repeat with the same key
	Effect     Class = "effect"     // one attempt, ever
)

// CallState is where a tool call stands in the ledger.
type CallState string

// A call moves from planned (or waiting, if a person must agree) through claimed to one of the ends.
// Unknown is left only by a probe or by a person.
const (
	CallPlanned   CallState = "planned"
	CallWaiting   CallState = "waiting"
	CallClaimed   CallState = "claimed"
	CallDone      CallState = "done"
	CallFailed    CallState = "failed"
	CallUnknown   CallState = "unknown"
	CallDenied    CallState = "denied"
	CallSkipped   CallState = "skipped"
	CallCancelled CallState = "cancelled" // never sent, or ended by the server before it was done
)

// Settled reports whether the call needs nothing more from anybody.
func (s CallState) Settled() bool {
	switch s {
	case CallDone, CallFailed, CallDenied, CallSkipped, CallCancelled:
		return true
	}
	return false
}

// Outcome is what happened outside: done, failed (provably not done or the tool said so), unknown.
type Outcome string

// The three outcomes. A lost answer is Unknown, never Failed.
const (
	OutcomeDone    Outcome = "done"
	OutcomeFailed  Outcome = "failed"
	OutcomeUnknown Outcome = "unknown"
)

// Verdict is a person's answer.
type Verdict string

// Approve, Deny and Edit answer an approval; Check, Retry and Skip answer an unknown outcome.
// Expired is written by the workflow's own timer. Answer and Decline answer what a server asks.
const (
	Approve Verdict = "approve"
	Deny    Verdict = "deny"
	Edit    Verdict = "edit"
	Check   Verdict = "check"
	Retry   Verdict = "retry"
	Skip    Verdict = "skip"
	Expired Verdict = "expired"
	Answer  Verdict = "answer"
	Decline Verdict = "decline"
)

// DecisionKind says what a person is asked.
type DecisionKind string

// A person approves a call before it is sent, says what to do about one whose outcome is unknown, or answers what
// the server asks in the middle of it.
const (
	AskApproval DecisionKind = "approval"
	AskUnknown  DecisionKind = "unknown"
	AskInput    DecisionKind = "input"
)

// Allows reports whether v answers a question of this kind.
func (k DecisionKind) Allows(v Verdict) bool {
	switch k {
	case AskApproval:
		return v == Approve || v == Deny || v == Edit
	case AskInput:
		return v == Answer || v == Decline
	default:
		return v == Check || v == Retry || v == Skip
	}
}
