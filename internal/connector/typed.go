package connector

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/jsonschema-go/jsonschema"

	"steward/internal/automation"
	"steward/internal/oauth"
)

// Typed is a tool whose arguments and results are Go structs: their json and jsonschema tags make the schemas.
type Typed[In, Out any] struct {
	Tool                                                  // without schemas, Call and Probe
	Bounds func(properties map[string]*jsonschema.Schema) // narrows the arguments beyond what Go types say; may be nil

	Call  func(ctx context.Context, s *Session, c Call, in In) (Out, error)
	Probe func(ctx context.Context, s *Session, c Call, in In) (automation.Outcome, Out, error) // may be nil
}

// Build makes the tool. It panics if a type has no JSON Schema: that is a mistake in the program, and every
// test of the connector finds it.
func (d Typed[In, Out]) Build() Tool {
	t := d.Tool
	in := schemaOf[In](t.Name)
	if d.Bounds != nil {
		d.Bounds(in.Properties)
	}
	t.InputSchema, t.OutputSchema = encode(in, t.Name), encode(schemaOf[Out](t.Name), t.Name)
	if len(in.Properties) == 0 {
		t.InputSchema = json.RawMessage(noArguments)
	}
	t.Call = func(ctx context.Context, s *Session, c Call) (Result, error) {
		in, err := decode[In](c.Arguments)
		if err != nil {
			return Result{}, err
		}
		out, err := d.Call(ctx, s, c, in)
		if err != nil {
			return Result{}, err
		}
		return resultOf(out)
	}
	if d.Probe == nil {
		return t
	}
	t.Probe = func(ctx context.Context, s *Session, c Call) (Found, error) {
		in, err := decode[In](c.Arguments)
		if err != nil {
			return Found{Outcome: automation.OutcomeUnknown}, err
		}
		outcome, out, err := d.ask(ctx, s, c, in)
		if err != nil || outcome != automation.OutcomeDone {
			return Found{Outcome: outcome}, err
		}
		result, err := resultOf(out)
		return Found{Outcome: outcome, Result: result}, err
	}
	return t
}

// pauses between the attempts at one probe. Who asks after a crash often meets a connection that the crash
// has broken, and a person would be asked what the second attempt knows.
var pauses = []time.Duration{200 * time.Millisecond, time.Second}

// ask probes until there is an answer, which may be that nobody knows.
func (d Typed[In, Out]) ask(ctx context.Context, s *Session, c Call, in In) (outcome automation.Outcome, out Out, err error) {
	for attempt := 0; ; attempt++ {
		outcome, out, err = d.Probe(ctx, s, c, in)
		_, consent := errors.AsType[*oauth.ConsentError](err)
		if err == nil || consent || attempt == len(pauses) {
			return outcome, out, err
		}
		select {
		case <-ctx.Done():
			return outcome, out, err
		case <-time.After(pauses[attempt]):
		}
	}
}

// noArguments has the properties that the library leaves out when there are none, and OpenAI insists on.
const noArguments = `{"type":"object","properties":{},"additionalProperties":false}`

// decode refuses arguments that the type does not know.
func decode[In any](arguments json.RawMessage) (in In, err error) {
	decoder := json.NewDecoder(bytes.NewReader(arguments))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&in); err != nil {
		return in, &Error{Answered: true, Reason: "the arguments do not fit the tool's input schema", Err: err}
	}
	return in, nil
}

func resultOf(out any) (Result, error) {
	doc, err := json.Marshal(out)
	if err != nil {
		return Result{}, &Error{Ran: true, Reason: "the result could not be written down", Err: err}
	}
	return Result{Structured: doc}, nil
}

func schemaOf[T any](tool string) *jsonschema.Schema {
	s, err := jsonschema.For[T](nil)
	if err != nil {
		panic(fmt.Sprintf("connector: %s: %v", tool, err))
	}
	plain(s)
	return s
}

// plain takes null out of the types of lists: a Go slice may be nil, but no list here is ever sent as null.
func plain(s *jsonschema.Schema) {
	if s == nil {
		return
	}
	if len(s.Types) == 2 && s.Types[0] == "null" {
		s.Type, s.Types = s.Types[1], nil
	}
	plain(s.Items)
	for _, property := range s.Properties {
		plain(property)
	}
}

func encode(s *jsonschema.Schema, tool string) json.RawMessage {
	doc, err := json.Marshal(s)
	if err != nil {
		panic(fmt.Sprintf("connector: %s: %v", tool, err))
	}
	return doc
}
