// Package tool holds the catalogue of what a run may call and THE executor: validate, policy, claim,
// call, settle. Nothing in Steward reaches a tool another way.
package tool

import (
	"context"
	"encoding/json"
	"fmt"

	"steward/internal/automation"
	"steward/internal/connector"
	"steward/internal/fault"
	"steward/internal/llm"
	"steward/internal/registry"
	"steward/internal/store"
)

// Tool is one callable of a run, fixed when the run starts.
type Tool struct {
	Function    string           `json:"function"` // the name the model sees
	Server      int64            `json:"server,omitempty"`
	Connection  string           `json:"connection,omitempty"` // the connector's name, where there is no server
	ServerName  string           `json:"server_name"`          // of the server or the connection, for people
	Name        string           `json:"name"`
	Title       string           `json:"title,omitempty"`
	Description string           `json:"description,omitempty"`
	InputSchema json.RawMessage  `json:"input_schema"`
	Pin         string           `json:"pin"` // digest of the definition as it was when the run started
	Class       automation.Class `json:"class"`
	Probe       *Probe           `json:"probe,omitempty"`
	Untrusted   bool             `json:"untrusted,omitempty"`  // results may hold what strangers wrote
	Private     bool             `json:"private,omitempty"`    // results hold the owner's private data
	Addressees  []string         `json:"addressees,omitempty"` // arguments that say who receives something, where that is known
	Flagged     string           `json:"flagged,omitempty"`    // what was hidden in what the tool says of itself
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

// Catalogue is what one run may call.
type Catalogue struct {
	Tools []Tool `json:"tools"`
	// Absent names servers that could not be asked, with a reason that a person may read.
	Absent []Absence `json:"absent,omitempty"`
}

// Absence is a server whose tools are missing.
type Absence struct {
	Server string `json:"server"`
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

// Sources are where a run's tools come from.
type Sources struct {
	Servers     []*store.MCPServer
	Connections []connector.Connection
}

// Resolve asks the sources for their tools and fixes names, pins and classes. The hinted tool, if any source
// has it, comes first. It fails only if there are servers and none of them answered, nor is there a connection.
func Resolve(ctx context.Context, reg *registry.Registry, owner string, from Sources, hint string) (Catalogue, error) {
	var (
		cat   Catalogue
		taken = map[string]bool{}
		last  error
	)
	for _, s := range from.Servers {
		offered, err := reg.Tools(ctx, owner, s)
		if err != nil {
			if ctx.Err() != nil {
				return cat, fmt.Errorf("list tools: %w", err)
			}
			last = quotable(reg, s, err)
			cat.Absent = append(cat.Absent, Absence{Server: s.Name, Reason: reach(err)})
			continue
		}
		for _, o := range offered {
			t, visible, err := describe(s, o)
			if err != nil {
				return cat, err
			}
			if visible {
				t.Function = llm.FunctionName(s.Name, o.Name, taken)
				cat.Tools = append(cat.Tools, t)
			}
		}
	}
	for _, c := range from.Connections {
		tools, err := describeConnection(c.Connector)
		if err != nil {
			return cat, err
		}
		cat.Tools = append(cat.Tools, tools...)
	}
	if len(cat.Tools) == 0 && last != nil {
		return cat, fault.Wrap(last, fault.Upstream, "none of the run's MCP servers could be reached: %s: %s",
			cat.Absent[0].Server, cat.Absent[0].Reason).WithCode("server_unreachable")
	}
	cat.putFirst(hint)
	return cat, nil
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
