package tool

import (
	"encoding/json"

	"steward/internal/audit"
	"steward/internal/automation"
	"steward/internal/secret"
)

// directIntent is the audited intent of a call outside a run.
type directIntent struct {
	Call      string           `json:"call"`
	Via       string           `json:"via"`
	Tool      string           `json:"tool"`
	Class     automation.Class `json:"class"`
	Arguments json.RawMessage  `json:"arguments"`
	Digest    string           `json:"digest"`
	Pin       string           `json:"pin"`
	Keyed     bool             `json:"keyed,omitempty"`
}

// directOutcome is the audited outcome.
type directOutcome struct {
	Call       string               `json:"call"`
	Tool       string               `json:"tool"`
	State      automation.CallState `json:"state"`
	IsError    bool                 `json:"is_error,omitempty"`
	Bytes      int64                `json:"bytes"`
	Digest     string               `json:"result_digest,omitempty"`
	ResolvedBy string               `json:"resolved_by,omitempty"`
	Fence      int64                `json:"fence,omitempty"`
	Reason     string               `json:"reason,omitempty"`
}

func (x *Executor) directBody(c *directCall) directIntent {
	return directIntent{
		Call: c.id, Via: c.Via, Tool: c.tool.Label(), Class: c.tool.Class, Arguments: x.patterns.Preview(c.shown, previewBytes),
		Digest: c.digest(), Pin: c.tool.Pin, Keyed: c.Key != "",
	}
}

// readBody is intent and outcome of a reading call in one.
type readBody struct {
	directIntent
	State   automation.CallState `json:"state"`
	IsError bool                 `json:"is_error,omitempty"`
	Bytes   int                  `json:"bytes"`
	Result  string               `json:"result_digest,omitempty"`
	Reason  string               `json:"reason,omitempty"`
}

// readEvent is made when the batch is written: nobody waits for it then.
func (x *Executor) readEvent(c *directCall, r reply, err error) audit.Event {
	body := readBody{directIntent: x.directBody(c), State: automation.CallDone, IsError: r.isError, Bytes: len(r.text)}
	switch {
	case err != nil:
		body.State, body.Reason = automation.CallFailed, Clean(x.patterns.Text(failureOf(err).reason), 300)
	case r.isError:
		body.State = automation.CallFailed
		fallthrough
	default:
		body.Result = secret.Digest([]byte(r.text))
	}
	return audit.Event{Chain: automation.AuditUser(c.Owner), Key: c.id + "/made", Kind: audit.ToolCalled, Actor: c.Actor, Body: body}
}
