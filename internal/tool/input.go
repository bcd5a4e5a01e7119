package tool

import (
	"encoding/json"
	"fmt"
	"net/url"

	"steward/internal/mcpclient"
	"steward/internal/secret"
	"steward/internal/shape"
	"steward/internal/store"
)

// Input is what a server asks a person in the middle of a call (MCP, elicitation), as it is shown. Message and what
// Schema says to its readers are the server's words: foreign text.
type Input struct {
	Mode    string          `json:"mode"` // "form", or "url": the person is to open a page
	Message string          `json:"message"`
	Schema  json.RawMessage `json:"schema,omitempty"` // of the form
	URL     string          `json:"url,omitempty"`    // https; opened by the person, never by us
}

// Modes of a question.
const (
	ModeForm = "form"
	ModeURL  = "url"
)

// Bounds of a question, in bytes.
const (
	maxQuestion = 4096
	maxForm     = 64 << 10
	maxPage     = 2048
)

// QuestionBinding ties what a server asks to the question that a person has.
func QuestionBinding(owner, decision string) secret.Binding {
	return secret.Binding{Owner: owner, Purpose: "decision.question", Ref: decision}
}

// AnswerBinding ties what a person answers to the question.
func AnswerBinding(owner, decision string) secret.Binding {
	return secret.Binding{Owner: owner, Purpose: "decision.answer", Ref: decision}
}

// inputOf is a question as it may be put to a person; false where none can be: the server is told that nobody
// answers.
func inputOf(q mcpclient.Question) (Input, bool) {
	in := Input{Mode: q.Mode, Message: Clean(q.Message, maxQuestion)}
	switch q.Mode {
	case ModeURL:
		page, err := url.Parse(q.URL)
		ok := err == nil && page.Scheme == "https" && page.Host != "" && page.User == nil && len(q.URL) <= maxPage
		if ok {
			in.URL = page.String()
		}
		return in, ok
	case ModeForm, "":
		in.Mode = ModeForm
		if len(q.Schema) > maxForm {
			return in, false
		}
		if in.Schema, _ = legibleSchema(q.Schema); len(in.Schema) == 0 {
			in.Schema = json.RawMessage(`{"type":"object","properties":{}}`) // clients want both members
		}
		_, err := shape.Compile(in.Schema)
		return in, err == nil
	}
	return in, false
}

// digest names the question together with the call that it belongs to.
func (in Input) digest(row *store.ToolCall) (string, error) {
	doc, err := json.Marshal(struct {
		Input
		Call      string `json:"call"`
		Arguments string `json:"arguments"`
		Pin       string `json:"pin"`
	}{in, row.ID, row.Digest, row.Pin})
	if err != nil {
		return "", fmt.Errorf("encode question: %w", err)
	}
	return secret.Digest(doc), nil
}

func (x *Executor) sealInput(owner, decision string, in Input) ([]byte, error) {
	doc, err := json.Marshal(in)
	if err != nil {
		return nil, fmt.Errorf("encode question: %w", err)
	}
	return x.ring.Seal(QuestionBinding(owner, decision), doc)
}

// OpenInput reads what a decision of kind input asks.
func OpenInput(ring *secret.Ring, d *store.Decision) (Input, error) {
	doc, err := ring.Open(QuestionBinding(d.Owner, d.ID), d.QuestionSealed)
	if err != nil {
		return Input{}, err
	}
	var in Input
	if err := json.Unmarshal(doc, &in); err != nil {
		return Input{}, fmt.Errorf("decode question %s: %w", d.ID, err)
	}
	return in, nil
}
