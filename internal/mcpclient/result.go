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

// parseResult reads the result member of the answer to tools/call.
func parseResult(raw json.RawMessage) (*Result, error) {
	var wire struct {
		Content           json.RawMessage `json:"content"`
		StructuredContent json.RawMessage `json:"structuredContent"`
		IsError           bool            `json:"isError"`
		ResultType        string          `json:"resultType"`
	}
	if err := json.Unmarshal(raw, &wire); err != nil {
		return nil, fmt.Errorf("reading a tool result: %w", err)
	}
	switch wire.ResultType {
	case "", "complete":
	case "input_required":
		return nil, ErrInputRequired
	default: // such as "task", an extension we never announce
		return nil, fmt.Errorf("reading a tool result: unsupported kind %q", wire.ResultType)
	}
	switch {
	case len(wire.Content) == 0 || string(wire.Content) == "null":
		wire.Content = json.RawMessage("[]")
	case wire.Content[0] != '[':
		return nil, errors.New("reading a tool result: content is not a list")
	}
	if string(wire.StructuredContent) == "null" {
		wire.StructuredContent = nil
	}
	return &Result{Content: wire.Content, Structured: wire.StructuredContent, IsError: wire.IsError}, nil
}
