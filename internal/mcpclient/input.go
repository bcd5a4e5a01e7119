package mcpclient

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"steward/internal/shape"
)

// Question is what a server asks the user before it goes on (elicitation).
type Question struct {
	Mode    string          // "form" or "url"
	Message string          // the server's words: foreign text
	Schema  json.RawMessage // of the form; nil for a URL
	URL     string          // to be opened by the user, never by us
}

// Answer is what the user says to a Question.
type Answer struct {
	Action  string          // accept, decline or cancel
	Content json.RawMessage // of the form, for accept
}

// The actions of an Answer.
const (
	ActionAccept  = "accept"
	ActionDecline = "decline"
	ActionCancel  = "cancel"
)

// Needs is a call that ended with questions: it is made again with Given. A server that asks nothing and only hands
// out a State wants the call again a little later (2026-07-28, "input_required").
type Needs struct {
	Questions map[string]Question
	State     string // the server's own, handed back as it is
	// Before says that these are pages which the user must be done with before the server looks at the call at all
	// (2025-11-25, error -32042). It is not told what the user says: it sees for itself when the call comes again.
	Before bool
}

// Given answers Needs.
type Given struct {
	Answers map[string]Answer
	State   string
}

// maxQuestions bounds what one answer may ask a person.
const maxQuestions = 32

// Accept is the Answer of a user who fills in the form with content, a JSON object, or opens the URL. What the user
// left out is filled in where the form has a default (SEP-1034); what does not fit the form is an error.
func (q Question) Accept(content json.RawMessage) (Answer, error) {
	if q.Mode != "form" || len(q.Schema) == 0 {
		return Answer{Action: ActionAccept}, nil
	}
	values := map[string]json.RawMessage{}
	if len(content) > 0 {
		if err := json.Unmarshal(content, &values); err != nil || values == nil {
			return Answer{}, errors.New("the answer is not a JSON object")
		}
	}
	var form struct {
		Properties map[string]struct {
			Default json.RawMessage `json:"default"`
		} `json:"properties"`
	}
	if err := json.Unmarshal(q.Schema, &form); err != nil {
		return Answer{}, fmt.Errorf("reading a form: %w", err)
	}
	for name, property := range form.Properties {
		if _, given := values[name]; !given && property.Default != nil {
			values[name] = property.Default
		}
	}
	filled, err := json.Marshal(values)
	if err != nil {
		return Answer{}, fmt.Errorf("writing an answer: %w", err)
	}
	schema, err := shape.Compile(q.Schema)
	if err != nil {
		return Answer{}, fmt.Errorf("reading a form: %w", err)
	}
	var decoded any
	if err := json.Unmarshal(filled, &decoded); err != nil {
		return Answer{}, fmt.Errorf("reading an answer: %w", err)
	}
	if err := schema.Validate(decoded); err != nil {
		return Answer{}, fmt.Errorf("the answer does not fit the form: %w", err)
	}
	return Answer{Action: ActionAccept, Content: filled}, nil
}

// parseQuestion reads the params of elicitation/create. A form that cannot be shown is refused here, before anybody
// is asked.
func parseQuestion(params json.RawMessage) (Question, error) {
	var in struct {
		Mode            string          `json:"mode"`
		Message         string          `json:"message"`
		RequestedSchema json.RawMessage `json:"requestedSchema"`
		URL             string          `json:"url"`
	}
	if err := decode(params, &in); err != nil {
		return Question{}, fmt.Errorf("reading a question: %w", err)
	}
	q := Question{Mode: in.Mode, Message: in.Message, URL: in.URL}
	if q.Mode == "" {
		q.Mode = "form" // 2025-06-18 knew no other
	}
	switch {
	case q.Mode == "url" && q.URL != "":
	case q.Mode == "form" && q.URL == "":
		if isNull(in.RequestedSchema) {
			return q, nil
		}
		q.Schema = in.RequestedSchema
		if _, err := shape.Compile(q.Schema); err != nil {
			return Question{}, fmt.Errorf("reading a form: %w", err)
		}
	default:
		return Question{}, errors.New("reading a question: it is neither a form nor a URL")
	}
	return q, nil
}

// parseNeeds reads inputRequests. Everything but elicitation is ErrInputRequired: we offer nothing else.
func parseNeeds(requests map[string]json.RawMessage, state string) (*Needs, error) {
	if len(requests) > maxQuestions {
		return nil, fmt.Errorf("reading questions: there are more than %d", maxQuestions)
	}
	needs := &Needs{Questions: map[string]Question{}, State: state}
	for name, raw := range requests {
		var in struct {
			Method string          `json:"method"`
			Params json.RawMessage `json:"params"`
		}
		if err := decode(raw, &in); err != nil {
			return nil, fmt.Errorf("reading questions: %w", err)
		}
		if in.Method != methodElicit {
			return nil, ErrInputRequired
		}
		q, err := parseQuestion(in.Params)
		if err != nil {
			return nil, err
		}
		needs.Questions[name] = q
	}
	return needs, nil
}

// needsInError reads the URLs that a server of 2025-11-25 wants opened before it looks at the call (error -32042).
func needsInError(data json.RawMessage) (*Needs, error) {
	var in struct {
		Elicitations []json.RawMessage `json:"elicitations"`
	}
	if err := decode(data, &in); err != nil || len(in.Elicitations) == 0 || len(in.Elicitations) > maxQuestions {
		return nil, errors.New("reading the URLs that a call needs: there are none that can be read")
	}
	needs := &Needs{Questions: map[string]Question{}, Before: true}
	for i, raw := range in.Elicitations {
		q, err := parseQuestion(raw)
		if err != nil || q.Mode != "url" {
			return nil, errors.New("reading the URLs that a call needs: one is none")
		}
		needs.Questions[fmt.Sprintf("url-%d", i+1)] = q
	}
	return needs, nil
}

// responses is what the server is told.
func (g *Given) responses() (mcp.InputResponseMap, error) {
	if g == nil || len(g.Answers) == 0 {
		return nil, nil
	}
	out := mcp.InputResponseMap{}
	for name, a := range g.Answers {
		r, err := a.result()
		if err != nil {
			return nil, err
		}
		out[name] = r
	}
	return out, nil
}

func (a Answer) result() (*mcp.ElicitResult, error) {
	switch a.Action {
	case ActionDecline, ActionCancel:
		return &mcp.ElicitResult{Action: a.Action}, nil
	case ActionAccept:
	default:
		return nil, fmt.Errorf("an answer has the action %q", a.Action)
	}
	if len(a.Content) == 0 {
		return &mcp.ElicitResult{Action: a.Action}, nil
	}
	var values map[string]json.RawMessage
	if err := json.Unmarshal(a.Content, &values); err != nil {
		return nil, errors.New("an answer is not a JSON object")
	}
	content := make(map[string]any, len(values)) // of raw values: numbers keep their digits
	for name, v := range values {
		content[name] = v
	}
	return &mcp.ElicitResult{Action: a.Action, Content: content}, nil
}
