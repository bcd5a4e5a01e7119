package tool

import (
	"encoding/json"
	"fmt"

	"steward/internal/automation"
	"steward/internal/fault"
	"steward/internal/mcpclient"
	"steward/internal/secret"
	"steward/internal/store"
)

// CheckAnswer checks what a person fills in against the form of the question and returns it sealed. Complaints name
// the field. A page to be opened takes no content.
func (x *Executor) CheckAnswer(d *store.Decision, content json.RawMessage) ([]byte, error) {
	in, err := OpenInput(x.ring, d)
	if err != nil {
		return nil, err
	}
	if in.Mode == ModeURL {
		if len(content) > 0 {
			return nil, fault.InvalidField("body.content", "the server asks to open a page: there is no form to fill in")
		}
		return nil, nil
	}
	if len(content) == 0 {
		content = json.RawMessage("{}")
	}
	if len(content) > maxArguments {
		return nil, fault.InvalidField("body.content", "must be at most 1 MiB")
	}
	canonical, err := secret.Canonical(content)
	if err != nil {
		return nil, fault.InvalidField("body.content", "must be an object with each field once")
	}
	if err := fill(in.Schema, canonical); err != nil {
		return nil, err
	}
	return x.ring.Seal(AnswerBinding(d.Owner, d.ID), canonical)
}

// answerOf is what a person said, for the server.
func (x *Executor) answerOf(d *store.Decision) (mcpclient.Answer, error) {
	switch automation.Verdict(d.Verdict) {
	case automation.Decline:
		return mcpclient.Answer{Action: mcpclient.ActionDecline}, nil
	case automation.Answer:
		a := mcpclient.Answer{Action: mcpclient.ActionAccept}
		if len(d.AnswerSealed) == 0 {
			return a, nil
		}
		content, err := x.ring.Open(AnswerBinding(d.Owner, d.ID), d.AnswerSealed)
		if err != nil {
			return a, fmt.Errorf("open answer: %w", err)
		}
		a.Content = content
		return a, nil
	}
	return unanswered, nil
}

// unanswered is what a server is told when nobody says anything.
var unanswered = mcpclient.Answer{Action: mcpclient.ActionCancel}
