package llm

import (
	"encoding/json"
	"strings"
)

// HostedItem is what the provider reports of a remote MCP server that it used. Nothing about it was seen by
// us: it is its word. A completed response may hold calls that failed.
type HostedItem struct {
	Kind              string // "list" of the server's tools, "call" that was made, or "question" before one
	ID, Server, Name  string
	Arguments, Output string // Arguments is the text the model wrote; Output is for calls
	// Failure is "" or why a list or call failed: mcp_protocol_error, mcp_tool_execution_error, http_error, or
	// "unknown". FailureText is foreign text, FailureStatus the HTTP status or the code of the protocol's error.
	Failure, FailureText string
	FailureStatus        int
	Question             string       // the id of the question that a person had allowed the call by
	Tools                []HostedTool // of a list
	Status               string       // of a call: completed, failed, incomplete, calling, in_progress; may be ""
}

// HostedTool is a tool as a server describes it to the provider.
type HostedTool struct {
	Name, Description string
	InputSchema       json.RawMessage
	ReadOnly          *bool // the server's own claim; nil if it makes none
}

const unknownFailure = "unknown"

// hostedKinds are the item types that are reported, by Kind.
var hostedKinds = map[string]string{"mcp_list_tools": "list", "mcp_call": "call", "mcp_approval_request": "question"}

type wireHosted struct {
	ID, Name, Status string
	Server           string `json:"server_label"`
	Arguments        json.RawMessage
	Output           json.RawMessage
	Error            json.RawMessage
	Question         string `json:"approval_request_id"`
	Tools            []struct {
		Name, Description string
		InputSchema       json.RawMessage `json:"input_schema"`
		Annotations       struct {
			ReadOnly *bool `json:"read_only"`
			Hint     *bool `json:"readOnlyHint"`
		}
	}
}

// readHosted never fails a response over an item of a strange shape: what it reports has happened, and
// asking again might make it happen twice.
func readHosted(kind string, raw json.RawMessage) HostedItem {
	var w wireHosted
	broken := json.Unmarshal(raw, &w) != nil
	h := HostedItem{
		Kind: kind, ID: w.ID, Server: w.Server, Name: w.Name, Status: w.Status, Question: w.Question,
		Arguments: textOf(w.Arguments), Output: textOf(w.Output),
	}
	for _, t := range w.Tools {
		readOnly := t.Annotations.ReadOnly
		if readOnly == nil {
			readOnly = t.Annotations.Hint
		}
		h.Tools = append(h.Tools, HostedTool{Name: t.Name, Description: t.Description, InputSchema: t.InputSchema, ReadOnly: readOnly})
	}
	h.fail(w.Error)
	if h.Failure == "" && (broken || w.Status == "failed") {
		h.Failure = unknownFailure
	}
	return h
}

// fail reads the error of a list or call, which is null, a text, or an object of one of three shapes.
func (h *HostedItem) fail(raw json.RawMessage) {
	if len(raw) == 0 || string(raw) == "null" {
		return
	}
	var e struct {
		Type    string
		Code    int
		Message string
		Content json.RawMessage
	}
	h.Failure = unknownFailure
	if json.Unmarshal(raw, &e) != nil {
		h.FailureText = textOf(raw)
		return
	}
	if tokenPattern.MatchString(e.Type) {
		h.Failure = e.Type
	}
	h.FailureText, h.FailureStatus = e.Message, e.Code
	if e.Message == "" {
		h.FailureText = contentOf(e.Content)
	}
}

// contentOf joins the text parts of an MCP result; what has none comes as it is.
func contentOf(raw json.RawMessage) string {
	var parts []struct{ Text string }
	if json.Unmarshal(raw, &parts) != nil {
		return textOf(raw)
	}
	var texts []string
	for _, p := range parts {
		if p.Text != "" {
			texts = append(texts, p.Text)
		}
	}
	return strings.Join(texts, "\n")
}

// textOf is a JSON string's text, "" for null, and any other value as it stands.
func textOf(raw json.RawMessage) string {
	var text *string
	if json.Unmarshal(raw, &text) != nil {
		return string(raw)
	}
	if text == nil {
		return ""
	}
	return *text
}
