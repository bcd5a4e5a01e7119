package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"steward/internal/mcpclient"
)

// user uses one server.
type user struct {
	pool   *mcpclient.Pool
	access *access
	target mcpclient.Target
}

// work lists the tools and calls each of them once, or as the assignment says.
func (u *user) work(ctx context.Context, a assignment) error {
	var tools []mcpclient.Tool
	err := u.authorized(ctx, func(t mcpclient.Target) (err error) {
		tools, err = u.pool.Tools(ctx, t)
		return err
	})
	if err != nil {
		return fmt.Errorf("listing tools: %w", err)
	}
	calls := a.beside.ToolCalls
	if len(calls) > 0 {
		for _, c := range calls {
			if err := u.call(ctx, mcpclient.Call{Tool: c.Name, Arguments: c.Arguments}); err != nil {
				return err
			}
		}
		return nil
	}
	for _, tool := range tools {
		arguments, err := sample(tool.InputSchema, tools)
		if err != nil {
			return fmt.Errorf("arguments of %s: %w", tool.Name, err)
		}
		if err := u.call(ctx, mcpclient.Call{Tool: tool.Name, Arguments: arguments, OutputSchema: tool.OutputSchema}); err != nil {
			return err
		}
	}
	return nil
}

// rounds is how often a call may come back with questions.
const rounds = 10

// call uses a tool and answers what it asks, then or in an earlier round.
func (u *user) call(ctx context.Context, c mcpclient.Call) error {
	c.Ask = func(_ context.Context, q mcpclient.Question) (mcpclient.Answer, error) { return q.Accept(nil) }
	for range rounds {
		var res *mcpclient.Result
		err := u.authorized(ctx, func(t mcpclient.Target) (err error) {
			res, err = u.pool.Call(ctx, t, c)
			return err
		})
		if err != nil {
			return fmt.Errorf("calling %s: %w", c.Tool, err)
		}
		if res.Needs == nil {
			return nil
		}
		if c.Given, err = answers(res.Needs); err != nil {
			return fmt.Errorf("answering %s: %w", c.Tool, err)
		}
	}
	return fmt.Errorf("calling %s: it asks without end", c.Tool)
}

func answers(needs *mcpclient.Needs) (*mcpclient.Given, error) {
	given := &mcpclient.Given{State: needs.State, Answers: map[string]mcpclient.Answer{}}
	for name, q := range needs.Questions {
		a, err := q.Accept(nil)
		if err != nil {
			return nil, err
		}
		given.Answers[name] = a
	}
	return given, nil
}

// sample makes arguments that fit the required part of a flat schema. Where a schema is wanted, it is the first
// tool's own, as it came.
func sample(schema json.RawMessage, tools []mcpclient.Tool) (json.RawMessage, error) {
	var in struct {
		Required   []string `json:"required"`
		Properties map[string]struct {
			Type string            `json:"type"`
			Enum []json.RawMessage `json:"enum"`
		} `json:"properties"`
	}
	if err := json.Unmarshal(schema, &in); err != nil {
		return nil, err
	}
	arguments := map[string]json.RawMessage{}
	for _, name := range in.Required {
		property := in.Properties[name]
		switch {
		case len(property.Enum) > 0:
			arguments[name] = property.Enum[0]
		case name == "schema" && property.Type == "object":
			arguments[name] = tools[0].InputSchema
		default:
			value, ok := samples[property.Type]
			if !ok {
				return nil, errors.New("a type without an example: " + property.Type)
			}
			arguments[name] = json.RawMessage(value)
		}
	}
	return json.Marshal(arguments)
}

var samples = map[string]string{
	"": `"x"`, "string": `"x"`, "number": "1", "integer": "1", "boolean": "true", "object": "{}", "array": "[]", "null": "null",
}
