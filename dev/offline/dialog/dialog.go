// Package dialog is what the offline model understands of a request: the instruction, the tools it
// may call and the calls made since. It knows nothing of HTTP or of the Responses wire format.
package dialog

import (
	"encoding/json"
	"strings"
	"time"
)

// Dialog is one task: the newest instruction and everything that followed it.
type Dialog struct {
	Instruction string
	Today       time.Time // midnight UTC of the day the request says it is, else of the clock
	Tools       []Tool
	Calls       []Call // answered calls, oldest first
	Parallel    bool   // several calls in one reply are allowed
	NoCalls     bool   // tool_choice "none": only text is allowed
}

// Call is one use of a function tool. The position in every script is counted in answered calls, so
// it follows from the request alone and survives killed workers, replays and parallel runs.
type Call struct {
	ID        string
	Name      string
	Arguments string // JSON text; simulations may send text that is not JSON
	Output    string // as the client sent it; empty on calls that the model asks for
}

// Reply is what the model says next: calls, or else one of the texts.
type Reply struct {
	Calls      []Call
	Text       string
	Refusal    string
	Incomplete string // reason; the reply was cut off and must not be acted on
	Failed     bool   // the provider reports status "failed"
	Facts      Facts  // what the text says, as far as the rules know it
}

// Prefix begins every text of this model, so nobody takes it for a real one.
const Prefix = "[offline rules] "

// Say makes a reply of text.
func Say(text string) Reply { return Reply{Text: Prefix + text} }

// Ask makes a reply of calls, only the first one when the client forbids parallel calls.
func (d Dialog) Ask(calls ...Call) Reply {
	if !d.Parallel && len(calls) > 1 {
		calls = calls[:1]
	}
	return Reply{Calls: calls}
}

// Arguments writes the arguments of a call: sorted keys, and no escapes that only HTML needs, since
// people read them before they approve.
func Arguments(values map[string]any) (string, error) {
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(values)
	return strings.TrimSuffix(text.String(), "\n"), err
}
