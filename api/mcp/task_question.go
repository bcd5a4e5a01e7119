package mcp

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"steward/internal/automation"
	"steward/internal/fault"
	"steward/internal/mcpclient"
	"steward/internal/run"
)

// shownQuestion is an open question about a call, as the HTTP API shows it.
type shownQuestion struct {
	ID        string                  `json:"id"`
	Kind      automation.DecisionKind `json:"kind"`
	Digest    string                  `json:"digest"`
	Reason    string                  `json:"reason"`
	Arguments json.RawMessage         `json:"arguments"`
	Verdicts  []automation.Verdict    `json:"decisions"`
	Input     *struct {
		Mode    string          `json:"mode"`
		Message string          `json:"message"`
		Schema  json.RawMessage `json:"schema"`
		URL     string          `json:"url"`
	} `json:"input"`
}

// questionsOf are the open questions as forms, by their ids, which are never used again. Nil if there are none.
func questionsOf(calls []shownCall) sdk.InputRequestMap {
	var open sdk.InputRequestMap
	for _, c := range calls {
		if c.Question == nil {
			continue
		}
		if open == nil {
			open = sdk.InputRequestMap{}
		}
		open[c.Question.ID] = c.form()
	}
	return open
}

// choices are the answers that a form can give: new arguments for a call do not fit into one.
func (q *shownQuestion) choices() []automation.Verdict {
	return slices.DeleteFunc(slices.Clone(q.Verdicts), func(v automation.Verdict) bool { return v == automation.Edit })
}

// form asks what the run asks: for a decision, or what a server wants to know in the middle of a call.
func (c shownCall) form() *sdk.ElicitParams {
	q := c.Question
	if q.Input != nil {
		asked := mcpclient.Question{Mode: q.Input.Mode, Message: c.Server + " asks: " + q.Input.Message, Schema: q.Input.Schema, URL: q.Input.URL}
		p := elicitation(asked)
		if asked.Mode == "url" {
			p.ElicitationID = q.ID
		}
		return p
	}
	return &sdk.ElicitParams{
		Mode: "form", Message: fmt.Sprintf("%s/%s: %s\nArguments: %s", c.Server, c.Name, q.Reason, q.Arguments),
		RequestedSchema: map[string]any{
			"type": "object", "required": []string{"decision"},
			"properties": map[string]any{
				"decision": map[string]any{"type": "string", "title": "Decision", "enum": q.choices()},
				"reason":   map[string]any{"type": "string", "title": "Why", "maxLength": 2000},
			},
		},
	}
}

// given is a person's answer to a form.
type given struct {
	Action  string          `json:"action"`
	Content json.RawMessage `json:"content"`
}

// verdict reads what a person answered to a question of a run. A form that was closed is no answer; one that was
// declined is a no where there is one.
func (c shownCall) verdict(runID int64, raw json.RawMessage) (v run.Verdict, answered bool, err error) {
	q := c.Question
	var g given
	if json.Unmarshal(raw, &g) != nil {
		return v, false, fault.InvalidField("inputResponses."+q.ID, "is not the answer to a form")
	}
	v = run.Verdict{RunID: runID, CallID: c.ID, Digest: q.Digest}
	switch {
	case g.Action == "accept" && q.Kind == automation.AskInput:
		v.Verdict, v.Content = automation.Answer, g.Content
		return v, true, nil
	case g.Action == "accept":
		return c.decision(v, g.Content)
	case g.Action == "decline" && q.Kind == automation.AskInput:
		v.Verdict = automation.Decline
		return v, true, nil
	case g.Action == "decline" && q.Kind == automation.AskApproval:
		v.Verdict = automation.Deny
		return v, true, nil
	}
	return v, false, nil
}

// decision completes v with what the form of a decision holds.
func (c shownCall) decision(v run.Verdict, content json.RawMessage) (run.Verdict, bool, error) {
	var form struct {
		Decision automation.Verdict `json:"decision"`
		Reason   string             `json:"reason"`
	}
	choices := c.Question.choices()
	if json.Unmarshal(content, &form) != nil || !slices.Contains(choices, form.Decision) {
		words := make([]string, len(choices))
		for i, choice := range choices {
			words[i] = string(choice)
		}
		return v, false, fault.InvalidField("inputResponses."+c.Question.ID+".content.decision", "must be one of %s", strings.Join(words, ", "))
	}
	v.Verdict, v.Reason = form.Decision, form.Reason
	return v, true, nil
}
