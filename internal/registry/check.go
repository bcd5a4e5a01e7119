package registry

import (
	"context"
	"fmt"
	"slices"
	"time"

	"steward/internal/fault"
	"steward/internal/mcpclient"
	"steward/internal/store"
)

// CodeToolDisabled is the code of the fault for a tool that its server's owner has switched off.
const CodeToolDisabled = "tool_disabled"

// DriftError is a tool whose definition is not the one that was agreed to: it must not be called.
type DriftError struct {
	Server, Tool string
	Was          string    // the pin that the caller has
	Is           string    // the pin now; empty: the server does not offer the tool any more
	State        ToolState // Approved: somebody has agreed to Is since
}

// Error is for people.
func (e *DriftError) Error() string {
	switch {
	case e.Is == "":
		return fmt.Sprintf("%s offers %s no more", e.Server, e.Tool)
	case e.State == Approved:
		return fmt.Sprintf("%s has another definition since: a person has agreed to it", e.Tool)
	case e.State == Rejected:
		return fmt.Sprintf("a person has rejected the new definition of %s", e.Tool)
	}
	return fmt.Sprintf("the definition of %s has changed: a person has to look at it first", e.Tool)
}

// Check says whether owner may call a tool of the server with the definition of this pin, by a list that was fetched
// no longer ago than age. The error is a *DriftError if the definition is another, or nobody has agreed to it; else a
// fault, or that of Offers.
func (r *Registry) Check(ctx context.Context, owner string, s *store.MCPServer, tool, pin string, age time.Duration) error {
	l, err := r.list(ctx, owner, s, max(age, 0))
	if err != nil {
		return err
	}
	known, err := r.record(ctx, s, l)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(l.tools, func(t mcpclient.Tool) bool { return t.Name == tool })
	if i < 0 {
		return &DriftError{Server: s.Name, Tool: tool, Was: pin}
	}
	if state := known.state(tool, l.pins[i]); state != Approved || l.pins[i] != pin {
		return &DriftError{Server: s.Name, Tool: tool, Was: pin, Is: l.pins[i], State: state}
	}
	if known.overrides[tool].Disabled {
		return fault.New(fault.Forbidden, "the tool %s of %s is switched off", tool, s.Name).WithCode(CodeToolDisabled)
	}
	return nil
}
