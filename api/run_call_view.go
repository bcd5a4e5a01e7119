package api

import (
	"encoding/json"
	"time"

	"steward/internal/automation"
	"steward/internal/store"
)

// ToolCall is one use of a tool.
type ToolCall struct {
	ID         string     `json:"id" doc:"The call's id; decisions name it." example:"call_019aa4f08a5c7d5e"`
	Name       string     `json:"name" doc:"The tool." example:"send_email"`
	Server     string     `json:"server" doc:"The MCP server or connection that offers it." example:"mailbox"`
	ExecutedBy string     `json:"executed_by" enum:"worker,provider" doc:"Who called it: our worker, or the model's provider." example:"worker"`
	Evidence   string     `json:"evidence" enum:"observed,reported" doc:"Whether we saw what happened, or were told by the provider." example:"observed"`
	Step       int32      `json:"step" doc:"The step that planned it." example:"2"`
	Class      string     `json:"class" enum:"read,idempotent,effect" doc:"How often it may be sent: read freely, idempotent with the same key, effect once." example:"effect"`
	State      string     `json:"state" enum:"planned,waiting,claimed,done,failed,unknown,denied,skipped,cancelled" doc:"Where it stands." example:"done"`
	Outcome    string     `json:"outcome,omitempty" enum:"done,failed,unknown" doc:"What happened outside; absent while nothing was sent. A lost answer is unknown, never failed." example:"done"`
	IsError    bool       `json:"is_error" doc:"The tool answered, and its answer is an error." example:"false"`
	Reason     string     `json:"reason,omitempty" doc:"Why it was refused, failed or is unknown."`
	Resolved   string     `json:"resolved_by,omitempty" doc:"Who found out about an unknown outcome: probe, or a person." example:"probe"`
	Arguments  any        `json:"arguments" doc:"The arguments, shortened and with secrets removed."`
	Digest     string     `json:"digest" doc:"Digest of the full arguments." example:"9f86d081884c7d65"`
	Attempts   int32      `json:"attempts" doc:"How often it was sent." example:"1"`
	Bytes      int64      `json:"result_bytes" doc:"Size of the answer." example:"412"`
	PlannedAt  time.Time  `json:"planned_at" doc:"When the model planned it." example:"2026-11-20T09:30:01Z"`
	ClaimedAt  *time.Time `json:"claimed_at" doc:"When it was last about to be sent." example:"2026-11-20T09:30:02Z"`
	SettledAt  *time.Time `json:"settled_at" doc:"When its outcome was known." example:"2026-11-20T09:30:02.4Z"`
	Question   *Question  `json:"decision,omitempty" doc:"What a person must decide before the run goes on."`
}

// Cancellation says who cancelled a run and what had happened outside by then.
type Cancellation struct {
	RequestedAt time.Time `json:"requested_at" doc:"When." example:"2026-11-20T09:30:03Z"`
	RequestedBy string    `json:"requested_by" doc:"By whom." example:"alice"`
	Effects     []Effect  `json:"effects" doc:"Every call that could change something, and whether it did."`
}

// Effect is a call that could change something.
type Effect struct {
	ID      string `json:"id" doc:"The call's id." example:"call_019aa4f08a5c7d5e"`
	Name    string `json:"name" doc:"The tool." example:"send_email"`
	Server  string `json:"server" doc:"Its server." example:"mailbox"`
	Outcome string `json:"outcome" enum:"done,not_done,unknown" doc:"A call still on its way is unknown." example:"done"`
}

func toolCall(c *store.ListCallSummariesRow) ToolCall {
	return ToolCall{
		ID: c.ID, Name: c.ToolName, Server: c.ServerName, ExecutedBy: c.ExecutedBy, Evidence: c.Evidence, Step: c.Step, Class: c.Class, State: c.State,
		Outcome: outcomeOf(automation.CallState(c.State)), IsError: c.IsError, Reason: c.Reason, Resolved: c.ResolvedBy,
		Arguments: json.RawMessage(c.ArgumentsPreview), Digest: c.Digest, Attempts: c.Attempts, Bytes: c.ResultBytes,
		PlannedAt: c.CreatedAt, ClaimedAt: c.ClaimedAt, SettledAt: c.SettledAt,
	}
}

// outcomeOf is "" for calls that were never sent or whose answer may still come.
func outcomeOf(s automation.CallState) string {
	switch s {
	case automation.CallDone:
		return string(automation.OutcomeDone)
	case automation.CallFailed:
		return string(automation.OutcomeFailed)
	case automation.CallUnknown:
		return string(automation.OutcomeUnknown)
	default:
		return ""
	}
}

// cancellation is nil unless somebody asked to cancel.
func cancellation(row *store.AutomationRun, calls []*store.ListCallSummariesRow) *Cancellation {
	if row.CancelRequestedAt == nil {
		return nil
	}
	c := &Cancellation{RequestedAt: *row.CancelRequestedAt, RequestedBy: row.CancelActor, Effects: []Effect{}}
	for _, call := range calls {
		if automation.Class(call.Class) != automation.Read {
			c.Effects = append(c.Effects, Effect{ID: call.ID, Name: call.ToolName, Server: call.ServerName, Outcome: effectOf(call)})
		}
	}
	return c
}

// effectOf never says "not done" of what may have been sent: a person who skips an unknown outcome has
// not found out about it.
func effectOf(c *store.ListCallSummariesRow) string {
	switch state := automation.CallState(c.State); {
	case state == automation.CallDone:
		return "done"
	case state == automation.CallClaimed, state == automation.CallUnknown,
		state == automation.CallSkipped && c.WasUnknown:
		return "unknown"
	default:
		return "not_done"
	}
}
