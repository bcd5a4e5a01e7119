package mcp

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// Methods that the doors must know about.
const (
	methodCallTool = "tools/call"
	methodListen   = "subscriptions/listen"
)

// Members of a request's _meta that ask for notifications before the answer: of progress, and of what a server logs.
const (
	metaProgress = "progressToken"
	metaLog      = "io.modelcontextprotocol/logLevel"
)

// message is what the doors need of a JSON-RPC message.
type message struct {
	id     json.RawMessage // nil for notifications and answers
	method string          // "" for answers
	name   string          // of the tool, for tools/call
	task   string          // for tasks/*
	events bool            // whoever asks wants to be told something before the answer
}

// problem refuses a message before the SDK sees it.
type problem struct {
	code int64
	text string
}

// Members that mean something to us or to the SDK, by where they stand. Another spelling of one of them would be
// nothing to one reader and the member itself to the other: encoding/json matches names without regard to case.
var (
	ofEnvelope = []string{"jsonrpc", "id", "method", "params", "result", "error"}
	ofParams   = []string{"_meta", "name", "arguments", "taskId", "inputResponses", "requestState", "uri", "cursor", "protocolVersion", "capabilities", "clientInfo"}
)

// parse reads one JSON-RPC message as every other reader of it will: one object, no batch, valid UTF-8, no member
// twice at any depth, the members that matter spelled as the specification spells them, no bottomless nesting (T-39).
func parse(body []byte) (message, *problem) {
	var m message
	if trimmed := bytes.TrimLeft(body, " \t\r\n"); len(trimmed) > 0 && trimmed[0] == '[' {
		return m, &problem{jsonrpc.CodeInvalidRequest, "batches are not accepted: send one message a request"}
	}
	if err := strict(body); err != nil {
		return m, &problem{jsonrpc.CodeParseError, err.Error()}
	}
	envelope, err := members(body, ofEnvelope)
	if err != nil {
		return m, &problem{jsonrpc.CodeInvalidRequest, "the message " + err.Error()}
	}
	if string(envelope["jsonrpc"]) != `"2.0"` {
		return m, &problem{jsonrpc.CodeInvalidRequest, `the message is not JSON-RPC "2.0"`}
	}
	m.id = envelope["id"]
	method, isRequest := envelope["method"]
	if !isRequest {
		return m, nil
	}
	if json.Unmarshal(method, &m.method) != nil || m.method == "" {
		return m, &problem{jsonrpc.CodeInvalidRequest, "the method is not a name"}
	}
	params := envelope["params"]
	if len(params) == 0 || string(params) == "null" {
		return m, nil
	}
	given, err := members(params, ofParams)
	if err != nil {
		return m, &problem{jsonrpc.CodeInvalidRequest, "params " + err.Error()}
	}
	// What is not a string is the SDK's to refuse: no tool or task has such a name.
	_ = json.Unmarshal(given["name"], &m.name)
	_ = json.Unmarshal(given["taskId"], &m.task)
	var meta map[string]json.RawMessage
	_ = json.Unmarshal(given["_meta"], &meta)
	m.events = meta[metaProgress] != nil || meta[metaLog] != nil
	return m, nil
}

// members reads the members of an object; known are those of which no other spelling is taken.
func members(raw json.RawMessage, known []string) (map[string]json.RawMessage, error) {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(raw, &all); err != nil || all == nil {
		return nil, errNoObject
	}
	for name := range all {
		for _, k := range known {
			if name != k && strings.EqualFold(name, k) {
				return nil, errSpelling
			}
		}
	}
	return all, nil
}

// misrouted reports a header that says something else than the message. Proxies route by the headers, so the two must
// be one; the SDK compares those of its own methods, these are of the Tasks extension (SEP-2663).
func (m message) misrouted(h http.Header) *problem {
	if _, known := ofTasks[m.method]; !known {
		return nil
	}
	if h.Get("Mcp-Method") != m.method || h.Get("Mcp-Name") != m.task {
		return &problem{sdk.CodeHeaderMismatch, "Mcp-Method and Mcp-Name are not those of the message"}
	}
	return nil
}

// answer sends p as the specification wants it: a JSON-RPC error under 400.
func (p *problem) answer(w http.ResponseWriter, id json.RawMessage) {
	if id == nil {
		id = json.RawMessage("null")
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusBadRequest)
	_ = json.NewEncoder(w).Encode(map[string]any{ // fails only if the caller has gone
		"jsonrpc": "2.0", "id": id, "error": map[string]any{"code": p.code, "message": p.text},
	})
}
