package tool

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"

	"steward/internal/automation"
	"steward/internal/connector"
	"steward/internal/registry"
)

// connection is a user's connection as the source of one tool.
type connection struct {
	connections *connector.Connections
	log         *slog.Logger
	owner       string
	of          connector.Connection
	tool        connector.Tool

	session *connector.Session // opened once: a connection serves one call
}

// open reads the credential behind the connection. Its tokens are not in the session: they are read per request.
func (c *connection) open(ctx context.Context) (*connector.Session, error) {
	if c.session != nil {
		return c.session, nil
	}
	session, err := c.connections.Open(ctx, c.owner, c.of, c.tool)
	if err == nil {
		c.session = session
	}
	return session, err
}

// ready finds out before the claim whether a person must consent first.
func (c *connection) ready(ctx context.Context) error {
	_, err := c.open(ctx)
	return err
}

func (c *connection) send(ctx context.Context, d delivery) (reply, error) {
	session, err := c.open(ctx)
	if err != nil {
		f := failureOf(err)
		f.ran = false
		return reply{}, f
	}
	if err := d.before(ctx); err != nil {
		return reply{}, err
	}
	result, err := c.tool.Call(ctx, session, connector.Call{ID: d.id, Arguments: d.arguments, Receipt: d.receipt, Note: d.note})
	if err != nil {
		return reply{}, c.failure(err)
	}
	return reply{text: string(result.Structured)}, nil
}

func (c *connection) failure(err error) error {
	e, ok := errors.AsType[*connector.Error](err)
	if !ok {
		return failureOf(err)
	}
	f := failureOf(e.Err)
	f.ran, f.reason, f.after, f.err = e.Ran, e.Reason, e.RetryAfter, err
	if e.Answered {
		f.told = e.Reason
	}
	return f
}

func (c *connection) probes() bool { return c.tool.Probe != nil }

func (c *connection) probe(ctx context.Context, d delivery) probed {
	session, err := c.open(ctx)
	if err != nil {
		return cannotTell("the account could not be asked: " + failureOf(err).reason)
	}
	found, err := c.tool.Probe(ctx, session, connector.Call{ID: d.id, Arguments: d.arguments, Receipt: d.receipt, Note: d.note})
	if err != nil {
		c.log.WarnContext(ctx, "probe without an answer", "call", d.id, "tool", c.tool.Name, "error", err)
		return cannotTell("the account could not be asked whether it took effect")
	}
	switch found.Outcome {
	case automation.OutcomeDone:
		return probed{automation.OutcomeDone, string(found.Result.Structured)}
	case automation.OutcomeFailed:
		return probed{automation.OutcomeFailed, ""}
	}
	return cannotTell("the account could not say whether it took effect")
}

// drop has nothing to end: a request that left may still arrive. Tools that need more note a receipt first.
func (c *connection) drop() {}

// describeConnection turns the tools of a connection into those of a catalogue. They are our own: what they say
// of themselves is believed, and their names are unique among all connections.
func describeConnection(c connector.Connection) ([]Tool, error) {
	own := c.Tools()
	tools := make([]Tool, 0, len(own))
	for _, t := range own {
		described, err := describeOwn(c, t)
		if err != nil {
			return nil, err
		}
		tools = append(tools, described)
	}
	return tools, nil
}

func describeOwn(c connector.Connection, t connector.Tool) (Tool, error) {
	definition, err := json.Marshal(map[string]any{
		"name": t.Name, "title": t.Title, "description": t.Description, "inputSchema": t.InputSchema, "class": t.Class,
	})
	if err != nil {
		return Tool{}, fmt.Errorf("describe tool %s: %w", t.Name, err)
	}
	pin, err := registry.Pin(definition)
	return Tool{
		Function: t.Name, Connection: c.ID, Connector: c.Connector.Name, ServerName: c.Name, Name: t.Name, Title: t.Title, Description: t.Description,
		InputSchema: t.InputSchema, OutputSchema: t.OutputSchema, Answer: t.Answer, Pin: pin, Class: t.Class,
		Untrusted: t.Untrusted, Private: t.Private, Addressees: t.Addressees,
	}, err
}
