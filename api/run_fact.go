package api

import (
	"encoding/json"
	"fmt"
	"strings"

	"steward/internal/automation"
	"steward/internal/tool"
)

// fact is what the bodies of a run's audit events say, in their own words; each kind has some of it.
type fact struct {
	Step       int             `json:"step"`
	Attempt    int32           `json:"attempt"`
	Call       string          `json:"call"`
	Tool       string          `json:"tool"`
	Server     string          `json:"server"`
	ExecutedBy string          `json:"executed_by"`
	Arguments  json.RawMessage `json:"arguments"` // a preview, without secrets
	State      string          `json:"state"`
	Reason     string          `json:"reason"`
	ResolvedBy string          `json:"resolved_by"`
	Kind       string          `json:"kind"` // of a question
	Verdict    string          `json:"verdict"`
	Model      string          `json:"model"`
	Calls      int             `json:"calls"`
	Usage      struct {
		Tokens int64 `json:"total_tokens"`
	} `json:"usage"`
	Tools  []string       `json:"tools"`
	Absent []tool.Absence `json:"absent"`
}

// longest is how much of a call's arguments one step repeats, in bytes.
const longest = 300

// unescape takes back what encoding/json does for the sake of HTML pages.
var unescape = strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&")

func (f *fact) arguments() string {
	whole := unescape.Replace(string(f.Arguments))
	if shown := tool.Clean(whole, longest); shown != whole {
		return shown + "…"
	}
	return whole
}

// calls says who makes a call.
func (f *fact) calls() string {
	if f.ExecutedBy == "provider" {
		return "Lets the model's provider call " + f.tool()
	}
	return "Calls " + f.tool()
}

// tool is its name; a tool that no server offers has none in front.
func (f *fact) tool() string { return strings.TrimPrefix(f.Tool, "/") }

// offer says what the run may call.
func (f *fact) offer() string {
	text := counted(len(f.Tools), "tool")
	for _, a := range f.Absent {
		if a.Tool != "" {
			text += fmt.Sprintf("; not %s/%s: %s", a.Server, a.Tool, a.Reason)
			continue
		}
		text += fmt.Sprintf("; none of %s: %s", a.Server, a.Reason)
	}
	return text
}

// turn says what a turn of the model came to.
func (f *fact) turn() string {
	came := "its answer"
	if f.Calls > 0 {
		came = counted(f.Calls, "call")
	}
	if f.Usage.Tokens == 0 { // not every provider reports them
		return came
	}
	return fmt.Sprintf("%s, %d tokens", came, f.Usage.Tokens)
}

func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func (f *fact) asks() string {
	switch automation.DecisionKind(f.Kind) {
	case automation.AskUnknown:
		return "Asks a person what became of " + f.tool()
	case automation.AskInput:
		return "Asks a person what " + f.tool() + " wants to know"
	}
	return "Asks a person whether to call " + f.tool()
}

// settles titles the end of a call that was not on its way.
func (f *fact) settles() string {
	switch state := automation.CallState(f.State); {
	case state == automation.CallUnknown:
		return "Cannot tell what became of " + f.tool()
	case state == automation.CallSkipped:
		return "Goes on without " + f.tool()
	case f.ResolvedBy != "":
		return "Finds out what became of " + f.tool()
	default:
		return "Does not call " + f.tool()
	}
}

// outcome says why a call ended as it did.
func (f *fact) outcome() string {
	if f.ResolvedBy != "probe" {
		return f.Reason
	}
	return "found out by asking the server: " + f.Reason
}
