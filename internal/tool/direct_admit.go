package tool

import (
	"encoding/json"

	"steward/internal/automation"
	"steward/internal/fault"
	"steward/internal/secret"
)

// directCall is one call on its way.
type directCall struct {
	Direct
	aimed

	id        string
	arguments []byte // canonical, with secrets that the caller gave
	shown     []byte // the same without them: what digests, previews and audit events know
}

// digest names what the call asks for. Secrets do not count: a digest of a short one gives it away.
func (c *directCall) digest() string { return secret.Digest(c.shown) }

// admit checks the arguments against the schema that people and models are shown. Secrets that the caller gave are
// left to the server to judge.
func (x *Executor) admit(t Tool, d Direct) (arguments, shown []byte, err error) {
	where := d.Where
	if where == "" {
		where = "arguments"
	}
	text := string(d.Arguments)
	if len(t.Secrets) == 0 {
		arguments, err = x.schemas.arguments(t, text)
		if err != nil {
			return nil, nil, located(t, where, d.Arguments, err)
		}
		return arguments, arguments, nil
	}
	if text == "" {
		text = "{}"
	}
	if len(text) > maxArguments {
		return nil, nil, fault.InvalidField(where, "larger than 1 MiB")
	}
	if arguments, err = secret.Canonical(json.RawMessage(text)); err != nil {
		return nil, nil, fault.InvalidField(where, "%s", fault.Text(err))
	}
	object, err := membersOf(arguments)
	if err != nil || object == nil {
		return nil, nil, fault.InvalidField(where, "expected a JSON object")
	}
	for _, p := range t.Secrets {
		object.take(p.Path)
	}
	rest, err := object.encode()
	if err != nil {
		return nil, nil, err
	}
	if shown, err = x.schemas.arguments(t, string(rest)); err != nil {
		return nil, nil, located(t, where, rest, err)
	}
	return arguments, shown, nil
}

// repeats says how often the class lets a call be sent again after an answer that never came.
func repeats(c automation.Class) bool { return c != automation.Effect }
