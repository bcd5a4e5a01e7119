package client

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"steward/api"
	"steward/internal/audit"
	"steward/internal/automation"
	"steward/internal/tool"
)

// Timeline writes a run's events as lines for people: time, step, what happened.
type Timeline struct {
	w     io.Writer
	live  bool // w is a terminal
	shown int  // characters of the line of progress, which the next line takes the place of
}

// NewTimeline writes to w.
func NewTimeline(w io.Writer) *Timeline { return &Timeline{w: w, live: terminal(w)} }

// facts are what the bodies of a run's audit events have in common.
type facts struct {
	Step     int      `json:"step"`
	Tool     string   `json:"tool"`
	Tools    []string `json:"tools"`
	Class    string   `json:"class"`
	State    string   `json:"state"`
	Code     string   `json:"code"`
	Call     string   `json:"call"`
	Calls    int      `json:"calls"`
	Bytes    int64    `json:"bytes"`
	IsError  bool     `json:"is_error"`
	Attempt  int32    `json:"attempt"`
	Model    string   `json:"model"`
	Verdict  string   `json:"verdict"`
	Reason   string   `json:"reason"`
	Decision string   `json:"decision"` // id of a question
	Server   string   `json:"server"`
	Resolved string   `json:"resolved_by"`
	Usage    struct {
		Total     int64 `json:"total_tokens"`
		Cost      int64 `json:"cost_micro_usd"`
		CostKnown bool  `json:"cost_known"`
	} `json:"usage"`
	Absent []struct {
		Server string `json:"server"`
		Reason string `json:"reason"`
	} `json:"absent"`
}

// stateOf is the run's state that an event announces, if it does.
func stateOf(e api.RunEvent) string {
	var f facts
	if e.Kind != audit.RunState || json.Unmarshal(e.Body, &f) != nil {
		return ""
	}
	return f.State
}

// Add writes the line of an event; those that say nothing to a person have none.
func (t *Timeline) Add(e api.RunEvent) error {
	var f facts
	if err := json.Unmarshal(e.Body, &f); err != nil {
		return fmt.Errorf("decode event %d: %w", e.Seq, err)
	}
	text := say(e, f)
	if text == "" {
		return nil
	}
	if err := t.erase(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(t.w, "%s\n", line(e.At.Local().Format(clock), f.Step, tool.Clean(text, 400)))
	return err
}

const clock = "15:04:05.000"

func line(at string, step int, text string) string {
	name := ""
	if step > 0 {
		name = fmt.Sprintf("step %d", step)
	}
	return fmt.Sprintf("%-*s  %-7s  %s", len(clock), at, name, text)
}

// note writes a line that says more about the last event.
func (t *Timeline) note(text string) error {
	if err := t.erase(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(t.w, "%23s%s\n", "", tool.Clean(text, longestNote))
	return err
}

// longestNote is how much a note shows in bytes; a link of ours must be whole.
const longestNote = 8 << 10

func say(e api.RunEvent, f facts) string {
	switch e.Kind {
	case audit.RunAccepted:
		return "run accepted"
	case audit.RunState:
		if automation.State(f.State) == automation.Running {
			return "" // the events around it say so
		}
		return "run is " + strings.ReplaceAll(f.State, "_", " ")
	case audit.RunParked:
		return "run sleeps" + because(f)
	case audit.RunFinished:
		return "run ends: " + f.State + because(f)
	case audit.CancelRequested:
		return "cancel asked for by " + e.Actor
	case audit.ToolsResolved:
		return resolved(f)
	case audit.ModelCalled:
		return "asks " + f.Model + repeated(f)
	case audit.ModelAnswered:
		return answered(f)
	case audit.ModelFailed:
		return "the model did not answer" + because(f)
	case audit.ModelAccepted:
		return "the model works on it in the background"
	case audit.ModelFound:
		return "takes up the request that was made before"
	case audit.ModelRefused:
		return "does not ask the model" + because(f)
	case audit.ModelCompacted:
		return "shortens what the model is shown"
	case audit.ToolPlanned:
		return "plans " + f.Tool + " (" + f.Class + ")"
	case audit.ToolRefused:
		return "refuses " + f.Tool + because(f)
	case audit.ToolClaimed:
		return "calls " + f.Tool + repeated(f)
	case audit.ToolSettled:
		return settled(f)
	case audit.HostedOffered:
		return "lets the model's provider call tools"
	case audit.HostedListed:
		return fmt.Sprintf("the provider says that %s offers %d tools", f.Server, len(f.Tools)) + because(f)
	case audit.ToolReported:
		return "the provider says: " + settled(f)
	case audit.ToolReleased:
		return f.Tool + " was not sent" + because(f)
	case audit.DecisionAsked:
		return "asks a person about " + f.Tool + ", call " + f.Call + because(f)
	case audit.DecisionMade:
		return e.Actor + " decides: " + f.Verdict
	}
	return e.Kind
}

func resolved(f facts) string {
	servers := map[string]int{}
	var order []string
	for _, name := range f.Tools {
		server, _, _ := strings.Cut(name, "/")
		if servers[server] == 0 {
			order = append(order, server)
		}
		servers[server]++
	}
	var parts []string
	for _, server := range order {
		parts = append(parts, fmt.Sprintf("%s %d", server, servers[server]))
	}
	for _, a := range f.Absent {
		parts = append(parts, a.Server+" absent: "+a.Reason)
	}
	if len(parts) == 0 {
		return "no tools"
	}
	return "tools: " + strings.Join(parts, ", ")
}

func answered(f facts) string {
	what := "a final answer"
	switch {
	case f.Calls == 1:
		what = "1 call"
	case f.Calls > 1:
		what = fmt.Sprintf("%d calls", f.Calls)
	}
	text := fmt.Sprintf("answers with %s, %d tokens", what, f.Usage.Total)
	if f.Usage.CostKnown && f.Usage.Cost > 0 {
		text += ", " + dollars(f.Usage.Cost)
	}
	return text
}

func settled(f facts) string {
	text := f.Tool + " " + f.State
	if f.IsError {
		text += " with an error"
	}
	if f.Bytes > 0 {
		text += fmt.Sprintf(", %d bytes", f.Bytes)
	}
	if f.Resolved != "" {
		text += ", found out by " + f.Resolved
	}
	return text + because(f)
}

// dollars writes an amount exactly.
func dollars(micros int64) string {
	return strconv.FormatFloat(float64(micros)/1e6, 'f', -1, 64) + " USD"
}

func because(f facts) string {
	switch {
	case f.Reason != "":
		return ": " + f.Reason
	case f.Code != "":
		return ": " + f.Code
	}
	return ""
}

// repeated tells a repeated attempt.
func repeated(f facts) string {
	if f.Attempt > 1 {
		return fmt.Sprintf(" (attempt %d)", f.Attempt)
	}
	return ""
}
