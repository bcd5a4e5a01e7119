package llm

import (
	"encoding/json"

	"steward/internal/automation"
)

// Call is a function call the model asks for. Nothing about it is checked: the name may be one that was
// never offered and the arguments may be no JSON at all.
type Call struct{ CallID, Name, Arguments string }

// Response is what the model answered.
type Response struct {
	ID     string
	Model  string // the model that answered, more exact than the one asked for
	Status string // "completed" or "incomplete"
	// Items are the output items byte for byte, unknown types included. They go back as input of the next turn.
	Items []json.RawMessage
	Calls []Call // in the model's order; always empty when Incomplete is set
	// Text is the text of the last message. Commentary sent before it next to calls is only in Items.
	Text       string
	Refusal    string // the model's words when it declines
	Incomplete string // why the answer is cut: "max_output_tokens", "content_filter", …
	Usage      automation.Usage
	RequestID  string // the provider's, for its support
}

// decode turns the body of a 200 answer into a result or an *Error: an empty object and a response that
// failed come with 200 too.
func decode(body []byte) (*Response, error) {
	var w wireResponse
	if json.Unmarshal(body, &w) != nil {
		return nil, nonsense("not a response object")
	}
	if w.ID == "" {
		return nil, nonsense("no id")
	}
	out := &Response{ID: w.ID, Model: w.Model, Status: w.Status, Items: w.Output, Usage: readUsage(w.Usage)}
	switch w.Status {
	case "completed":
	case "incomplete":
		out.Incomplete = token(w.IncompleteDetails.Reason)
		if out.Incomplete == "" {
			out.Incomplete = "unknown"
		}
	case "failed":
		return nil, failed(w.Error.Code)
	default:
		return nil, nonsense("no final status")
	}
	ids := map[string]bool{}
	for _, raw := range w.Output {
		if err := out.read(raw, ids); err != nil {
			return nil, err
		}
	}
	if out.Incomplete != "" { // the arguments may be cut where they still parse
		out.Calls = nil
	}
	return out, nil
}

// read takes what we use from one output item; ids are the calls so far.
func (r *Response) read(raw json.RawMessage, ids map[string]bool) error {
	var head struct{ Type string }
	if json.Unmarshal(raw, &head) != nil {
		return nonsense("an item that is not an object")
	}
	switch head.Type {
	case "message":
		var m wireMessage
		if json.Unmarshal(raw, &m) != nil {
			return nonsense("a message of unknown shape")
		}
		r.Text, r.Refusal = m.words()
	case "function_call":
		var c wireCall
		if json.Unmarshal(raw, &c) != nil || c.CallID == "" || c.Name == "" {
			return nonsense("a call without id or name")
		}
		if ids[c.CallID] {
			return nonsense("two calls with one id")
		}
		ids[c.CallID] = true
		r.Calls = append(r.Calls, Call{CallID: c.CallID, Name: c.Name, Arguments: c.arguments()})
		if c.Status == "incomplete" && r.Incomplete == "" {
			r.Incomplete = "function_call"
		}
	}
	return nil
}
