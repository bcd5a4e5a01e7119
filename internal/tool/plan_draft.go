package tool

import (
	"encoding/json"

	"steward/internal/automation"
	"steward/internal/fault"
	"steward/internal/llm"
	"steward/internal/secret"
	"steward/internal/store"
)

// draft is a call on its way into the ledger.
type draft struct {
	tool      Tool
	row       store.InsertCallParams
	canonical []byte   // arguments
	refusal   *refusal // nil: it can be made
}

type refusal struct {
	code Code
	why  error
}

// drafts reads the model's calls. A model that repeats an id within one turn gets one call and one answer.
func (x *Executor) drafts(t Turn, calls []llm.Call) []draft {
	drafts := make([]draft, 0, len(calls))
	seen := map[string]bool{}
	for i, c := range calls {
		if !seen[c.CallID] {
			seen[c.CallID] = true
			drafts = append(drafts, x.draft(t, i, c, len(drafts) >= maxCalls))
		}
	}
	return drafts
}

func (x *Executor) draft(t Turn, position int, c llm.Call, flood bool) draft {
	tool, found := t.Catalogue.Find(c.Name)
	d := draft{tool: tool, row: store.InsertCallParams{
		ID: newID("call_"), RunID: t.Run.ID, Owner: t.Run.Owner, Step: int32(t.Step), Position: int32(position), //nolint:gosec // bounded by limits
		CallID: c.CallID, FunctionName: Clean(c.Name, maxToolName), ServerName: tool.ServerName, ToolName: Clean(tool.Name, maxToolName), Class: string(tool.Class),
		Connection: tool.Connection, Pin: tool.Pin, State: string(automation.CallPlanned), ArgumentsPreview: json.RawMessage("{}"),
	}}
	if tool.Connection == "" && found {
		d.row.ServerID = &tool.Server
	}
	if !found {
		d.row.ToolName, d.row.Class = d.row.FunctionName, string(automation.Read)
		d.refusal = &refusal{RuleNoTool, fault.New(fault.Invalid, "there is no tool of this name: use one of those offered")}
		return d
	}
	if flood {
		d.refusal = &refusal{RuleFlood, fault.New(fault.Invalid,
			"only the first %d calls of one turn are made: this one was not; ask again for those that are still needed", maxCalls)}
		return d
	}
	canonical, err := x.schemas.arguments(tool, c.Arguments)
	if err != nil {
		d.refusal = &refusal{RuleArguments, err}
		return d
	}
	d.canonical, d.row.Digest = canonical, secret.Digest(canonical)
	d.row.ArgumentsPreview = x.patterns.Preview(canonical, previewBytes)
	return d
}

func (d draft) question(t Turn, call string, r *ruling) question {
	return question{
		runID: t.Run.ID, owner: t.Run.Owner, step: t.Step, stamp: t.Stamp, call: call, tool: d.tool.Label(),
		digest: d.row.Digest, pin: d.row.Pin, kind: automation.AskApproval, reason: r.reason(), explanation: r.Explanation,
	}
}

// planBody is the audited judgement on one call, whether somebody is asked or not.
type planBody struct {
	Stamp
	Call      string           `json:"call"`
	Step      int              `json:"step"`
	Tool      string           `json:"tool"`
	Class     automation.Class `json:"class"`
	Arguments json.RawMessage  `json:"arguments,omitempty"`
	Digest    string           `json:"digest,omitempty"`
	Waits     bool             `json:"waits,omitempty"`
	Reason    string           `json:"reason,omitempty"`
	Rules     []Code           `json:"rules"`
	Tainted   []string         `json:"tainted,omitempty"`
	Unknown   int              `json:"unknown_addressees,omitempty"`
	Flagged   string           `json:"flagged,omitempty"`
}

func (d draft) body(t Turn, call string) planBody {
	b := planBody{
		Stamp: t.Stamp, Call: call, Step: t.Step, Tool: d.row.ServerName + "/" + d.row.ToolName, Class: automation.Class(d.row.Class), Digest: d.row.Digest,
	}
	if d.canonical != nil {
		b.Arguments = d.row.ArgumentsPreview
	}
	return b
}
