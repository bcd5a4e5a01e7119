package tool

import (
	"context"
	"errors"
	"fmt"
	"time"

	"steward/internal/automation"
	"steward/internal/fault"
	"steward/internal/mcpclient"
	"steward/internal/registry"
)

// definitionAgeEffect is how old a server's list may be when the definition of a call that changes something is held
// against the approved one (security.md T-25).
const definitionAgeEffect = 2 * time.Second

// definition is ready's look at the tool once more, for a call that changes something: with a list that is newer, and
// nothing is sent without one. The error is a *registry.DriftError if the tool is not what the run knows.
func (s *server) definition(ctx context.Context) error {
	err := s.reg.Check(ctx, s.owner, s.row, s.tool.Name, s.tool.Pin, definitionAgeEffect)
	if _, foreign := errors.AsType[*mcpclient.Error](err); foreign {
		return fault.Wrap(s.quotable(err), fault.Upstream, "%s could not be reached: %s", s.tool.ServerName, registry.Reason(err))
	}
	return err
}

// drifted is a call whose tool is not what it was when the run started. Nothing was sent. The run waits until its
// owner has looked at the difference; then the call goes on as it was planned, if the tool still takes it.
func (x *Executor) drifted(ctx context.Context, c *call, d *registry.DriftError) (automation.CallResult, error) {
	const changed = "the tool's definition has changed since the run started"
	switch d.State {
	case registry.Quarantined:
		return automation.CallResult{State: automation.CallState(c.row.State), Park: review(c.tool, changed)}, nil
	case registry.Approved:
		if why := x.refit(ctx, c); why != "" {
			return x.unsend(ctx, c, changed+": "+why)
		}
		return x.makeCall(ctx, c)
	}
	if d.Is == "" {
		return x.unsend(ctx, c, "the server does not offer the tool any more")
	}
	return x.unsend(ctx, c, changed+", and the change was rejected")
}

// review lets the run wait for somebody to look at a tool.
func review(t Tool, why string) *automation.Park {
	return &automation.Park{State: automation.WaitingForApproval, Waiting: automation.Waiting{
		Reason: fmt.Sprintf("%s: %s must be reviewed", why, t.Label()), Connector: t.ServerName, Server: t.Server, Tool: t.Name,
	}}
}

// refit says why a call does not fit the tool as it was approved since; empty if it does.
func (x *Executor) refit(ctx context.Context, c *call) string {
	s := c.source.(*server)
	now, err := s.reg.Offers(ctx, s.owner, s.row)
	if err != nil {
		return "what it is now could not be read"
	}
	for _, o := range now {
		if o.Name != c.tool.Name {
			continue
		}
		t, _, err := describe(s.row, o)
		if err != nil {
			return "what it is now could not be read"
		}
		if graver(t.Class, c.tool.Class) {
			return "it does more than it did; plan the call in a new run"
		}
		d, err := x.deliveryOf(c)
		if err != nil {
			return "the arguments could not be read"
		}
		if _, err := x.schemas.arguments(t, string(d.arguments)); err != nil {
			return fault.Text(err)
		}
		return ""
	}
	return "it is no longer there"
}

// graver says that a class may be repeated less freely than another.
func graver(a, b automation.Class) bool {
	rank := map[automation.Class]int{automation.Read: 0, automation.Idempotent: 1, automation.Effect: 2}
	return rank[a] > rank[b]
}

// unsend ends a call that must not be sent, or not again. One that was sent before keeps what is known of it.
func (x *Executor) unsend(ctx context.Context, c *call, why string) (automation.CallResult, error) {
	from := unsent
	if automation.CallState(c.row.State) == automation.CallClaimed { // a read or an idempotent call whose answer was lost
		from = sent
	}
	return x.settle(ctx, c, answer{state: automation.CallFailed, text: "the call was not made: " + why, isError: true, from: from})
}
