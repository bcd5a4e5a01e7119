package tool

import (
	"strings"

	"steward/internal/automation"
)

// Explanation says why a person is asked about a call, or why nobody was. It stands with the question.
type Explanation struct {
	Rules []Rule `json:"rules"`
	// Tainted are the tools whose answers the model had seen by then, if they held what strangers wrote and
	// private data.
	Tainted    []string   `json:"tainted,omitempty"`
	Addressees []Receiver `json:"addressees,omitempty"`
	Flagged    string     `json:"flagged,omitempty"` // what was hidden in the tool's description
}

// Receiver is one place that a call would reach.
type Receiver struct {
	Value string `json:"value"`
	Known bool   `json:"known"` // named by the owner, the owner's own, or allowed by the operator
	Where string `json:"where"` // the argument
}

// Rule is one reason. Codes are part of audit events: never rename, only add.
type Rule struct {
	Code Code   `json:"code"`
	Text string `json:"text"`
}

// Code names a rule.
type Code string

// Rules that let a call pass, that ask a person, and that only tell.
const (
	RuleReadOnly  Code = "read_only"
	RuleWaived    Code = "approval_waived"
	RuleConsented Code = "addressees_known" // tainted, and every addressee is one that the owner named before

	RuleAlways    Code = "approval_always"
	RulePolicy    Code = "approval_policy"
	RuleTainted   Code = "tainted"
	RuleAddressee Code = "unknown_addressee"
	RuleFetch     Code = "unknown_host"
	RuleReset     Code = "made_before_reset"
	RuleOutcome   Code = "unknown_outcome"
	RuleInput     Code = "server_asks"

	RuleURL     Code = "url_made_by_model"
	RuleFlagged Code = "hidden_text"
)

// Rules that refuse a call.
const (
	RuleNoTool    Code = "unknown_tool"
	RuleArguments Code = "invalid_arguments"
	RuleRepeated  Code = "repeated_call"
	RuleFlood     Code = "too_many_calls"
)

// ruling is what the guard says of a call that can be made.
type ruling struct {
	Explanation

	asks []string // why a person is asked; none: nobody is
}

func (r *ruling) tell(code Code, text string) { r.Rules = append(r.Rules, Rule{code, text}) }

func (r *ruling) ask(code Code, text string) {
	r.tell(code, text)
	r.asks = append(r.asks, text)
}

// waits says whether the call waits for a person.
func (r *ruling) waits() bool { return len(r.asks) > 0 }

// reason is a sentence for the person who is asked.
func (r *ruling) reason() string { return Clean(strings.Join(r.asks, "; "), 1000) }

// codes are the rules as audit events name them.
func (r *ruling) codes() []Code {
	codes := make([]Code, len(r.Rules))
	for i, rule := range r.Rules {
		codes[i] = rule.Code
	}
	return codes
}

// unknown counts the addressees whom nobody has named.
func (r *ruling) unknown() int {
	n := 0
	for _, a := range r.Addressees {
		if !a.Known {
			n++
		}
	}
	return n
}

// byMode applies the run's approval mode.
func (r *ruling) byMode(mode string, class automation.Class) {
	switch {
	case mode == ApproveAlways:
		r.ask(RuleAlways, "the run asks for approval of every call")
	case mode == ApproveNever || class == automation.Read:
	case class == automation.Idempotent:
		r.ask(RulePolicy, "the tool changes something")
	default:
		r.ask(RulePolicy, "the tool is not known to be read-only: what it does may not be undone")
	}
}
