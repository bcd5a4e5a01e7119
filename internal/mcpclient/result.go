package mcpclient

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// Result is a tool's answer as the server wrote it: numbers keep their digits, unknown kinds of content
// stay. IsError is the tool's own word that it failed; that is an answer, not an Error.
type Result struct {
	Content    json.RawMessage // the content array, never nil
	Structured json.RawMessage // structuredContent, nil if absent
	IsError    bool

	Needs *Needs // the call ended with questions instead
	Task  *Task  // the server goes on by itself instead
}

// Text joins the text parts of the content with newlines; other kinds of content are left out.
func (r *Result) Text() string {
	var parts []struct{ Type, Text string }
	if err := json.Unmarshal(r.Content, &parts); err != nil {
		return ""
	}
	var texts []string
	for _, p := range parts {
		if p.Type == "text" {
			texts = append(texts, p.Text)
		}
	}
	return strings.Join(texts, "\n")
}

var emptyContent = json.RawMessage("[]")

// parseResult reads the result member of the answer to tools/call.
func parseResult(raw json.RawMessage) (*Result, error) {
	var in struct {
		Content           json.RawMessage            `json:"content"`
		StructuredContent json.RawMessage            `json:"structuredContent"`
		IsError           bool                       `json:"isError"`
		ResultType        string                     `json:"resultType"`
		InputRequests     map[string]json.RawMessage `json:"inputRequests"`
		RequestState      string                     `json:"requestState"`
	}
	if err := decode(raw, &in); err != nil {
		return nil, fmt.Errorf("reading a tool result: %w", err)
	}
	switch in.ResultType {
	case "", "complete":
	case "input_required":
		needs, err := parseNeeds(in.InputRequests, in.RequestState)
		if err != nil {
			return nil, err
		}
		return &Result{Content: emptyContent, Needs: needs}, nil
	case "task":
		task, err := parseTask(raw)
		if err != nil {
			return nil, err
		}
		return &Result{Content: emptyContent, Task: task}, nil
	default:
		return nil, fmt.Errorf("reading a tool result: unsupported kind %q", in.ResultType)
	}
	switch {
	case isNull(in.Content):
		in.Content = emptyContent
	case in.Content[0] != '[':
		return nil, errors.New("reading a tool result: content is not a list")
	}
	return &Result{Content: in.Content, Structured: in.StructuredContent, IsError: in.IsError}, nil
}
