package api

import (
	"encoding/json"
	"fmt"

	"steward/internal/store"
	"steward/internal/tool"
)

// Explanation says what the policy found about a call. It is found outside the model's reach: nothing that the
// model says counts.
type Explanation struct {
	Rules      []Rule      `json:"rules" doc:"Every rule that had a say, those that ask a person and those that only tell."`
	Tainted    []string    `json:"tainted" doc:"Tools whose answers the model had seen by then, if they held private data and what strangers may have written; else none."`
	Addressees []Addressee `json:"addressees" doc:"Whom the call would reach: mail addresses and hosts among its arguments."`
	Flagged    string      `json:"flagged,omitempty" doc:"What was hidden in the tool's own description."`
}

// Rule is one reason.
type Rule struct {
	Code tool.Code `json:"code" doc:"Stable, for programs: unknown_addressee, tainted, approval_policy and others." example:"unknown_addressee"`
	Text string    `json:"text" doc:"For the person who decides." example:"it would reach bob@example.com, not named in the instructions"`
}

// Addressee is one place that a call would reach.
type Addressee struct {
	Value string `json:"value" doc:"The address or host." example:"bob@example.com"`
	Known bool   `json:"known" doc:"Whether the user's instructions name it, it is the user's own, or the operator allows it." example:"false"`
	Where string `json:"where" doc:"The argument in which it stands." example:"to"`
}

// explanation reads what is stored with a question.
func explanation(d *store.Decision) (Explanation, error) {
	var found tool.Explanation
	if err := json.Unmarshal(d.Explanation, &found); err != nil {
		return Explanation{}, fmt.Errorf("explanation of question %s: %w", d.ID, err)
	}
	shown := Explanation{Rules: []Rule{}, Tainted: []string{}, Addressees: []Addressee{}, Flagged: found.Flagged}
	for _, r := range found.Rules {
		shown.Rules = append(shown.Rules, Rule(r))
	}
	for _, a := range found.Addressees {
		shown.Addressees = append(shown.Addressees, Addressee(a))
	}
	shown.Tainted = append(shown.Tainted, found.Tainted...)
	return shown, nil
}
