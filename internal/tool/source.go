package tool

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"steward/internal/automation"
	"steward/internal/mcpclient"
	"steward/internal/oauth"
)

// source is what a call is sent to: an MCP server, or a connection of the user's.
type source interface {
	// ready says whether a call can be sent at all, before it is claimed. An *oauth.ConsentError asks for a person.
	ready(ctx context.Context) error
	// send makes one call. It asks before right before the request leaves, and keeps it back on an error, which
	// comes back as it is. Every other error is a *failure.
	send(ctx context.Context, d delivery) (reply, error)
	// probe asks afterwards whether a call took effect.
	probe(ctx context.Context, d delivery) probed
	// probes says whether there is a way to ask.
	probes() bool
	// drop makes sure that nothing under way can act any more, where that can be had.
	drop()
}

// delivery is what goes to a source.
type delivery struct {
	id        string // the ledger's: the idempotency key
	arguments json.RawMessage
	receipt   string
	lease     *time.Time // until when an earlier attempt may still be at work
	before    func(ctx context.Context) error
	note      func(ctx context.Context, receipt string) error

	given *mcpclient.Given                                                    // answers to what the server asked in an earlier round
	ask   func(context.Context, mcpclient.Question) (mcpclient.Answer, error) // a question in mid-call; nil: nobody can be asked
	tasks bool                                                                // the receiver may go on by itself and answer with a task

	progress func(mcpclient.Progress) // nil: nobody listens
}

// reply is a tool's answer, free of the source's own secrets.
type reply struct {
	text    string
	isError bool // the tool's own word that it failed

	result *mcpclient.Result // of an MCP server, free of secrets; nil for a connection
	needs  *mcpclient.Needs  // no answer yet: a person is asked first
	task   *mcpclient.Task   // no answer yet: the server works on it
}

// failure is a call without a result.
type failure struct {
	ran    bool                // the effect may have happened
	told   string              // what the receiver answered; empty: nothing
	reason string              // for people: no hosts, paths or output of a server
	after  time.Duration       // the wait that was asked for
	need   *oauth.ConsentError // a person must consent first
	err    error               // for the log, free of secrets
}

func (f *failure) Error() string { return f.reason }

func (f *failure) Unwrap() error { return f.err }

// failureOf is err as a failure; what is not one may have run.
func failureOf(err error) *failure {
	if f, ok := errors.AsType[*failure](err); ok {
		return f
	}
	f := &failure{ran: true, reason: "the session broke before the answer came", err: err}
	if need, ok := errors.AsType[*oauth.ConsentError](err); ok {
		f.need, f.ran, f.reason = need, false, need.Reason
	}
	if errors.Is(err, context.DeadlineExceeded) {
		f.reason = "no answer in time"
	}
	return f
}

// probed is what a source says of a call afterwards. Failed means that it did not happen and cannot happen
// any more.
type probed struct {
	outcome automation.Outcome
	text    string
}

func cannotTell(why string) probed { return probed{automation.OutcomeUnknown, why} }
