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
	Tier   string // the service tier that was used, which prices depend on; "" if the provider has none
	// Items are the output items byte for byte, unknown types included. They go back as input of the next turn.
	Items  []json.RawMessage
	Calls  []Call       // in the model's order; always empty when Incomplete is set
	Hosted []HostedItem // of remote MCP servers, in order; without questions when Incomplete is set
	// Text is the text of the last message. Commentary sent before it next to calls is only in Items.
	Text       string
	Refusal    string // the model's words when it declines
	Incomplete string // why the answer is cut: "max_output_tokens", "content_filter", …
	// Blocked is what the provider's moderation flagged, "input" or "output". Only accounts that ask for
	// moderation have that, and the text may be there all the same: whoever would show it decides.
	Blocked   string
	Usage     automation.Usage
	RequestID string // the provider's, for its support
}

// decode turns the body of a 200 answer into a result or an *Error: an empty object and a response that
// failed come with 200 too.
func decode(body []byte, g guard) (*Response, error) {
	var w wireResponse
	if json.Unmarshal(body, &w) != nil {
		return nil, nonsense("not a response object")
	}
	return w.response(g)
}

func (w wireResponse) response(g guard) (*Response, error) {
	if g.safe(w.ID) == "" {
		return nil, nonsense("no id")
	}
	out := &Response{
		ID: w.ID, Model: w.Model, Status: w.Status, Tier: w.ServiceTier, Items: w.Output,
		Blocked: flagged(w.Moderation), Usage: readUsage(w.Usage),
	}
	switch w.Status {
	case "completed":
	case "incomplete":
		out.Incomplete = g.token(w.IncompleteDetails.Reason)
		if out.Incomplete == "" {
			out.Incomplete = "unknown"
		}
	case "failed":
		return nil, w.Error.failed(g)
	case "cancelled":
		return nil, &Error{Code: CodeCancelled, Status: 200, Message: "the work on the answer was stopped"}
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
		out.Hosted = withoutQuestions(out.Hosted)
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
		r.Calls = append(r.Calls, Call{CallID: c.CallID, Name: c.Name, Arguments: textOf(c.Arguments)})
		if c.Status == "incomplete" && r.Incomplete == "" {
			r.Incomplete = "function_call"
		}
	default:
		if kind := hostedKinds[head.Type]; kind != "" {
			r.Hosted = append(r.Hosted, readHosted(kind, raw))
		}
	}
	return nil
}

func withoutQuestions(items []HostedItem) []HostedItem {
	var out []HostedItem
	for _, h := range items {
		if h.Kind != "question" {
			out = append(out, h)
		}
	}
	return out
}
