// Package tool holds the catalogue of what a run may call and THE executor: validate, policy, claim,
// call, settle. Nothing in Steward reaches a tool another way.
package tool

import (
	"encoding/json"
	"time"

	"steward/internal/automation"
)

// Tool is one callable of a run, fixed when the run starts.
type Tool struct {
	Function    string          `json:"function"` // the name the model sees
	Server      int64           `json:"server,omitempty"`
	Connection  string          `json:"connection,omitempty"` // its id, where there is no server
	Connector   string          `json:"connector,omitempty"`  // what the connection is one of, such as "gmail"
	ServerName  string          `json:"server_name"`          // of the server or the connection, for people
	Name        string          `json:"name"`
	Title       string          `json:"title,omitempty"`
	Description string          `json:"description,omitempty"`
	InputSchema json.RawMessage `json:"input_schema"` // without what is declared secret
	// OutputSchema is what structured answers must fit; empty: anything.
	OutputSchema json.RawMessage   `json:"output_schema,omitempty"`
	Answer       string            `json:"answer,omitempty"`  // the member of a structured answer that is the answer itself
	Secrets      []SecretParameter `json:"secrets,omitempty"` // parameters that nobody is shown
	Pin          string            `json:"pin"`               // digest of the definition as it was when the run started
	Class        automation.Class  `json:"class"`
	Probe        *Probe            `json:"probe,omitempty"`
	Untrusted    bool              `json:"untrusted,omitempty"`  // results may hold what strangers wrote
	Private      bool              `json:"private,omitempty"`    // results hold the owner's private data
	Addressees   []string          `json:"addressees,omitempty"` // arguments that say who receives something, where that is known
	Flagged      string            `json:"flagged,omitempty"`    // what was hidden in what the tool says of itself
	Timeout      time.Duration     `json:"timeout,omitempty"`    // of one call, as its owner says; 0: the operator's
	// Child says that the server runs as a child of whoever calls it, and may keep state in its session.
	Child bool `json:"child,omitempty"`
}

// Probe says how to ask the server afterwards whether a call took effect: a read-only tool of the same
// server that takes the call's key. Declared by the tool in _meta, believed of trusted servers only.
type Probe struct {
	Tool     string `json:"tool"`
	Argument string `json:"argument"`
}

// Members of a tool's _meta that Steward understands.
const (
	metaProbe     = "dev.steward/probe"      // how to ask afterwards: {"tool":…,"argument":…}
	metaProbeOnly = "dev.steward/probe-only" // true: not offered to the model
	metaReceivers = "dev.steward/addressees" // names of the arguments that say who receives something
)

// maxToolName is the longest name of a tool that is stored and shown.
const maxToolName = 128

// Label names the tool to people: server/tool.
func (t Tool) Label() string { return t.ServerName + "/" + Clean(t.Name, maxToolName) }

// session is the server whose state lives with one worker; 0 for tools that any worker can call.
func (t Tool) session() int64 {
	if t.Child {
		return t.Server
	}
	return 0
}

// Catalogue is what one run may call.
type Catalogue struct {
	Tools []Tool `json:"tools"`
	// Absent names servers that could not be asked, with a reason that a person may read.
	Absent []Absence `json:"absent,omitempty"`
}

// Absence is a server whose tools are missing, or one tool of it.
type Absence struct {
	Server string `json:"server"`
	Tool   string `json:"tool,omitempty"` // empty: all of them
	Reason string `json:"reason"`
}

// Flagged names the tools in which something was hidden, each with what it was.
func (c Catalogue) Flagged() map[string]string {
	flagged := map[string]string{}
	for _, t := range c.Tools {
		if t.Flagged != "" {
			flagged[t.Label()] = t.Flagged
		}
	}
	return flagged
}

// Find returns the tool that the model calls by function.
func (c Catalogue) Find(function string) (Tool, bool) {
	for _, t := range c.Tools {
		if t.Function == function {
			return t, true
		}
	}
	return Tool{}, false
}

func (c *Catalogue) putFirst(hint string) {
	for i, t := range c.Tools {
		if hint != "" && t.Name == hint {
			copy(c.Tools[1:i+1], c.Tools[:i])
			c.Tools[0] = t
			return
		}
	}
}
