package tool

import (
	"context"
	"errors"

	"steward/internal/automation"
	"steward/internal/fault"
)

// hosted is the source of a call that the model's provider makes: we pass a person's yes on with the next request
// to the model, and take the provider's word for what became of it.
type hosted struct{}

var errHosted = errors.New("the model's provider makes this call")

func (hosted) ready(context.Context) error { return errHosted }

func (hosted) send(context.Context, delivery) (reply, error) {
	return reply{}, &failure{reason: errHosted.Error(), err: errHosted}
}

func (hosted) probes() bool { return true }

// probe asks the ledger alone: an approval that left with no request had no effect.
func (hosted) probe(_ context.Context, d delivery) probed {
	if d.receipt == "" {
		return probed{automation.OutcomeFailed, ""}
	}
	return cannotTell("the model's provider made the call, and there is no way to ask it whether it took effect")
}

func (hosted) drop() {}

// allow claims a call that a person approved, or wants made again: the intent, before the request that carries the
// approval to the provider.
func (x *Executor) allow(ctx context.Context, c *call) (automation.CallResult, error) {
	if c.row.ExecutedBy != byProvider {
		return automation.CallResult{}, fault.New(fault.Internal, "an approved call is sent, not settled")
	}
	if automation.CallState(c.row.State) != automation.CallClaimed {
		if err := x.claim(ctx, c); err != nil {
			return automation.CallResult{}, err
		}
	}
	if c.in.Verdict == automation.Retry { // the request that carried it before does not count any more
		if err := x.note(ctx, c, ""); err != nil {
			return automation.CallResult{}, err
		}
	}
	return settled(c.row), nil
}

// doubt asks a person about a call whose approval left with a request that never had an answer. What has not left
// yet is still to come.
func (x *Executor) doubt(ctx context.Context, c *call) (automation.CallResult, error) {
	switch {
	case automation.CallState(c.row.State) == automation.CallUnknown:
		return x.unknownOnly(ctx, c)
	case automation.CallState(c.row.State) != automation.CallClaimed || c.row.Receipt == "":
		return settled(c.row), nil
	}
	return x.settle(ctx, c, answer{
		state: automation.CallUnknown, isError: true, from: sent, decide: true,
		text: "the model's provider was allowed to make the call and never answered; it cannot be asked whether it did",
	})
}
