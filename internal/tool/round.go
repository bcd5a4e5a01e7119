package tool

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"steward/internal/mcpclient"
	"steward/internal/secret"
	"steward/internal/store"
)

// mostRounds is how often one call may come back with questions.
const mostRounds = 10

// round is what an unfinished call needs to go on (MCP 2026-07-28, "input_required"; SEP-2663 for tasks): what the
// server wants to know, what people have said so far, and the server's own state, which goes back as it came. It is
// sealed: answers may be private, and the state is the server's.
type round struct {
	Number    int                           `json:"number"` // from 1
	State     string                        `json:"state,omitempty"`
	Questions map[string]mcpclient.Question `json:"questions,omitempty"`
	Answers   map[string]mcpclient.Answer   `json:"answers,omitempty"`
	Asked     string                        `json:"asked,omitempty"`  // the key of the question that a person has
	Before    bool                          `json:"before,omitempty"` // the server sees no answers: it wants pages opened first
}

// next is the first question without an answer.
func (r *round) next() (key string, ok bool) {
	for _, key := range slices.Sorted(maps.Keys(r.Questions)) {
		if _, answered := r.Answers[key]; !answered {
			return key, true
		}
	}
	return "", false
}

func (r *round) answer(key string, a mcpclient.Answer) {
	if r.Answers == nil {
		r.Answers = map[string]mcpclient.Answer{}
	}
	r.Answers[key] = a
}

// given is what goes back to the server; nil before the first round, and where it sees no answers.
func (r *round) given() *mcpclient.Given {
	if r == nil || r.Before {
		return nil
	}
	return &mcpclient.Given{Answers: r.Answers, State: r.State}
}

// number is how often the server has asked.
func (r *round) number() int {
	if r == nil {
		return 0
	}
	return r.Number
}

// RoundBinding ties a sealed round to its call.
func RoundBinding(owner, call string) secret.Binding {
	return secret.Binding{Owner: owner, Purpose: "call.round", Ref: call}
}

// openRound reads what a call has left to be told; nil if nothing was ever asked.
func (x *Executor) openRound(row *store.ToolCall) (*round, error) {
	if len(row.RoundSealed) == 0 {
		return nil, nil
	}
	doc, err := x.ring.Open(RoundBinding(row.Owner, row.ID), row.RoundSealed)
	if err != nil {
		return nil, err
	}
	r := &round{}
	if err := json.Unmarshal(doc, r); err != nil {
		return nil, fmt.Errorf("decode round of call %s: %w", row.ID, err)
	}
	return r, nil
}

func (x *Executor) sealRound(row *store.ToolCall, r *round) ([]byte, error) {
	doc, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("encode round: %w", err)
	}
	return x.ring.Seal(RoundBinding(row.Owner, row.ID), doc)
}
